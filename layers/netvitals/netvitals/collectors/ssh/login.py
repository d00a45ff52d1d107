"""Log in to a server with what a credential holds: a key, a password, or both where the server wants both."""

from collections.abc import Callable, Iterator, Sequence

import paramiko

from netvitals.collectors.ssh.faults import EXPIRED, Refused, SshFault, tells_of_expiry
from netvitals.collectors.ssh.keys import private_key
from netvitals.collectors.ssh.protocol import SshCredential
from netvitals.domain.polling.observation import Reason
from netvitals.domain.settings.secret import Secret
from netvitals.domain.text import first_line

type Present = Callable[[], list[str]]
"""Function that presents a credential to the server; it returns the methods that the server wants besides
(RFC 4252, 5.1), none as a rule."""

_INTERACTIVE = "keyboard-interactive"


class Login:
    """Runs one login. `guarded` calls its argument and translates paramiko's errors; see `Session`."""

    def __init__(
        self,
        transport: paramiko.Transport,
        credential: SshCredential,
        who: str,
        guarded: Callable[[Present], list[str]],
    ) -> None:
        self._transport = transport
        self._credential = credential
        self._user = credential.user
        self._who = who
        self._guarded = guarded
        self._offered: set[str] = set()
        """Methods with which the server lets the user go on, as far as it has named them."""

    def run(self) -> None:
        """Log in, with everything that the credential holds.

        Raises:
            Refused: the server has checked the credential and refuses it.
            SshFault: anything else.
        """
        refused: list[str] = []
        for name, present in self._steps():
            try:
                more = self._guarded(present)
            except paramiko.BadAuthenticationType as error:
                self._offered = set(error.allowed_types)
                continue
            except paramiko.AuthenticationException:
                if name:
                    refused.append(name)
                if self._transport.is_active():
                    continue
                break
            if not more:
                return
            self._offered = set(more)
        if refused:
            raise Refused(f"{self._who} refuses {' and '.join(refused)} of user {self._user!r}")
        methods = first_line(" or ".join(sorted(self._offered))) or "something that it does not name"
        raise SshFault(
            Reason.AUTH,
            f"{self._who} wants {methods} of user {self._user!r}, which the credential does not hold",
        )

    def _steps(self) -> Iterator[tuple[str, Present]]:
        """Return the credentials to present to the server in turn, by the name that an error has for each."""
        own = self._credential
        if own.private_key is not None:
            key = private_key(own.private_key, own.passphrase)
            yield "the key", lambda: self._transport.auth_publickey(self._user, key)
        else:
            # A server notes each method that it does not offer as a failed password, and sshguard, fail2ban
            # or blacklistd count those: so it is asked first, as every client does.
            yield "", lambda: self._transport.auth_none(self._user)
        if own.password is not None:
            password = own.password
            yield "the password", lambda: self._by_password(password)

    def _by_password(self, password: Secret) -> list[str]:
        if not self._offered or "password" in self._offered:
            try:
                return self._by_plain_password(password)
            except paramiko.BadAuthenticationType as error:
                self._offered = set(error.allowed_types)
        if _INTERACTIVE in self._offered:
            return self._by_prompt(password)
        raise paramiko.BadAuthenticationType("", sorted(self._offered))

    def _by_plain_password(self, password: Secret) -> list[str]:
        try:
            # Without `fallback`, which answers whatever prompts there are, "New password:" among them.
            return self._transport.auth_password(self._user, password.reveal(), fallback=False)
        except paramiko.AuthenticationException:
            raise
        except paramiko.SSHException as error:
            # SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252, 8) has the number of what paramiko calls this.
            if "info request" in str(error):
                raise SshFault(Reason.AUTH, EXPIRED) from None
            raise

    def _by_prompt(self, password: Secret) -> list[str]:
        prompts = _Prompts(password)
        try:
            return self._transport.auth_interactive(self._user, prompts)
        except paramiko.AuthenticationException:
            if prompts.unanswered is not None:
                raise self._unanswered(prompts.unanswered, sent=prompts.sent) from None
            raise

    def _unanswered(self, asked: str, *, sent: bool) -> SshFault:
        """Return the fault of a prompt that gets no answer; one after the password counts as a refusal."""
        said = repr(first_line(asked)) if first_line(asked) else "several things"
        if not sent:
            return SshFault(
                Reason.AUTH,
                f"{self._who} asks user {self._user!r} {said}, and a credential answers one hidden prompt "
                "only: let it log in by password or key",
            )
        if tells_of_expiry(asked):
            return Refused(EXPIRED)
        return Refused(
            f"{self._who} asks user {self._user!r} {said} after the password, which nobody answers: "
            "is the password right, and does the account want a second factor?"
        )


class _Prompts:
    """Answers one hidden prompt (RFC 4256), once; whatever else is asked ends the login."""

    def __init__(self, password: Secret) -> None:
        self._password = password
        self.sent = False
        self.unanswered: str | None = None
        """Prompts that were not answered, with their instructions and title."""

    def __call__(self, title: str, instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str]:
        if not prompts:
            return []
        if len(prompts) == 1 and not prompts[0][1] and not self.sent:
            self.sent = True
            return [self._password.reveal()]
        self.unanswered = "\n".join([*(text for text, _ in prompts[:4]), instructions, title])
        raise paramiko.AuthenticationException("a prompt that is not answered")
