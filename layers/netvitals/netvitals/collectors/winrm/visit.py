"""What happens on a thread: log in, ask for everything, say what is missing."""

from collections.abc import Callable

from netvitals.collectors.winrm import powershell
from netvitals.collectors.winrm.access import Access
from netvitals.collectors.winrm.faults import Refused, WinrmFault
from netvitals.collectors.winrm.line import Line
from netvitals.collectors.winrm.protocol import WinrmCredential, WinrmSettings
from netvitals.collectors.winrm.queries import Query
from netvitals.collectors.winrm.rows import Row
from netvitals.collectors.winrm.session import Session
from netvitals.collectors.winrm.survey import Survey, remembered_of
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Target

_MOST_FAULTS_TOLD = 4


def visit(
    target: Target[WinrmSettings, WinrmCredential], reading: Reading, line: Line, access: Access
) -> bool:
    """Put everything into the reading, what is wrong as well; whether the credential was accepted.

    Raises:
        Refused: the host has looked at it and does not take it.
    """
    session: Session | None = None
    try:
        session = Session(line, access)
        _Visit(session, target, reading).run()
    except Refused:
        raise
    except WinrmFault as fault:
        reading.fail(fault.reason, str(fault))
    finally:
        if session is not None:
            session.close()
        line.close()
    return session is not None and session.logged_in


class _Visit:
    def __init__(
        self, session: Session, target: Target[WinrmSettings, WinrmCredential], reading: Reading
    ) -> None:
        self._session = session
        self._target = target
        self._reading = reading
        self._powershell = target.settings.powershell

    def run(self) -> None:
        if self._powershell == "always":
            self._by_powershell()
            return
        try:
            self._by_wmi()
        except Refused:
            raise
        except WinrmFault as fault:
            if self._powershell == "never" or fault.reason is Reason.TIMEOUT:
                raise
            self._by_powershell()

    def _by_wmi(self) -> None:
        self._conclude(self._survey(lambda query: self._session.rows(query.wql)))

    def _by_powershell(self) -> None:
        answers = powershell.run(self._session, self._target.deadline)
        self._conclude(self._survey(answers.rows, pause_seconds=0))

    def _survey(self, rows: Callable[[Query], list[Row]], pause_seconds: float | None = None) -> Survey:
        remembered = remembered_of(self._target.job.memory)
        return Survey(rows, self._reading, remembered, self._target.deadline, pause_seconds)

    def _conclude(self, survey: Survey) -> None:
        """The reading's reason. Without a single point the first fault is the poll's."""
        told = []
        try:
            survey.run()
        except WinrmFault as fault:
            if not self._reading.points:
                raise
            told.append(f"{fault}; the rest is missing")
        told = [f"{section.name}: {fault}" for section, fault in survey.faults] + told
        if not self._reading.points:
            raise survey.faults[0][1] if survey.faults else _nothing()
        if told:
            self._reading.fail(Reason.PARTIAL, "; ".join(dict.fromkeys(told[:_MOST_FAULTS_TOLD])))
            return
        self._reading.reason = Reason.OK
        lacking = ", ".join(survey.lacking())
        self._reading.detail = f"the host has no WMI classes for: {lacking}" if lacking else ""


def _nothing() -> WinrmFault:
    return WinrmFault(
        Reason.UNSUPPORTED,
        "the host has none of the WMI classes: rebuild them (`winmgmt /resyncperf`), or poll it by SNMP",
    )
