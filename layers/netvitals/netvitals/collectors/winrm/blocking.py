"""Run the part of a poll that blocks a thread: log in, query everything, report what is missing."""

from collections.abc import Callable

from netvitals.collectors.memory import recall
from netvitals.collectors.winrm import powershell
from netvitals.collectors.winrm.access import Access
from netvitals.collectors.winrm.connection import WinrmConnection
from netvitals.collectors.winrm.faults import Refused, WinrmFault
from netvitals.collectors.winrm.protocol import MEMORY, WinrmCredential, WinrmSettings
from netvitals.collectors.winrm.queries import WmiQuery
from netvitals.collectors.winrm.rows import WmiRow
from netvitals.collectors.winrm.session import Session
from netvitals.collectors.winrm.survey import Survey, WinrmMemory
from netvitals.domain.polling.observation import Reading, Reason
from netvitals.domain.ports import Target

_FAULTS_SHOWN = 4


def poll(
    target: Target[WinrmSettings, WinrmCredential],
    reading: Reading,
    connection: WinrmConnection,
    access: Access,
) -> bool:
    """Put points and faults into the reading; return whether the credential was accepted.

    Raises:
        Refused: the host has checked the credential and refuses it.
    """
    session: Session | None = None
    try:
        session = Session(connection, access)
        _Poll(session, target, reading).run()
    except Refused:
        raise
    except WinrmFault as fault:
        reading.fail(fault.reason, str(fault))
    finally:
        if session is not None:
            session.close()
        connection.close()
    return session is not None and session.logged_in


class _Poll:
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

    def _survey(self, rows: Callable[[WmiQuery], list[WmiRow]], pause_seconds: float | None = None) -> Survey:
        memory = recall(self._target.job.memory, MEMORY, WinrmMemory) or WinrmMemory()
        return Survey(rows, self._reading, memory, self._target.deadline, pause_seconds)

    def _conclude(self, survey: Survey) -> None:
        """Set the reading's reason; without a single point it is the first fault's."""
        faults = []
        try:
            survey.run()
        except WinrmFault as fault:
            if not self._reading.points:
                raise
            faults.append(f"{fault}; the rest is missing")
        faults = [f"{section.name}: {fault}" for section, fault in survey.faults] + faults
        if not self._reading.points:
            raise survey.faults[0][1] if survey.faults else _no_classes()
        if faults:
            self._reading.fail(Reason.PARTIAL, "; ".join(dict.fromkeys(faults[:_FAULTS_SHOWN])))
            return
        self._reading.reason = Reason.OK
        lacking = ", ".join(survey.lacking())
        self._reading.detail = f"the host has no WMI classes for: {lacking}" if lacking else ""


def _no_classes() -> WinrmFault:
    return WinrmFault(
        Reason.UNSUPPORTED,
        "the host has none of the WMI classes: rebuild them (`winmgmt /resyncperf`), or poll it by SNMP",
    )
