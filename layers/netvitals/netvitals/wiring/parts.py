"""Make the shared parts of a process, each at its first use, and keep them for the process's life."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property
from time import monotonic
from typing import Any, cast

from netvitals import observability, settings
from netvitals.adapters.aws.clients import RENEWAL, client
from netvitals.adapters.aws.parameter_store import document_in_parameter
from netvitals.adapters.aws.secrets_manager import SecretDocument, SecretsManager
from netvitals.adapters.aws.xray import subsegment
from netvitals.adapters.files.configuration_document import document_in_file
from netvitals.adapters.postgres.access import database_url
from netvitals.adapters.postgres.database import Database
from netvitals.domain.inventory.guard import Guard
from netvitals.domain.settings.configuration import Configuration, retired_keys

RENEWAL_SECONDS = 4.0
"""Seconds at the end of an invocation for all secrets; one attempt takes 3, and the lookup of a name."""
COLLECTION_THRESHOLD = 100_000
"""Objects from one garbage collection to the next: Python's 2,000 cost a poll 3 % of its processor time."""
REPORT_SECONDS = 1.0
"""Seconds of an invocation that are reserved for its report."""

_logger = logging.getLogger("netvitals")


class Parts:
    """Makes the parts that several use cases share, from the environment.

    A failed construction is not cached; the next call tries again.

    Raises, where a part is used first:
        ConfigurationError: a variable, the document, or a secret's content can't be used.
        Unavailable: a secret or the document can't be read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._made: dict[Callable[[Parts], Any], Any] = {}
        self._secrets: SecretsManager | None = None
        self.client = cache(client)
        """The boto3 client of a service."""

    def use[Made](self, make: Callable[["Parts"], Made]) -> Made:
        """Return the object that `make` makes of these parts: the same object each time."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("Made", self._made[make])

    def variables[V: settings.Variables](self, wanted: type[V]) -> V:
        return settings.variables(wanted, self._environ)

    def is_configured(self, group: type[settings.Variables]) -> bool:
        """Return whether a variable of this group is set."""
        return any(self._environ.get(name) for name in group.__struct_encode_fields__)

    def secret(self, arn: str) -> SecretDocument:
        if self._secrets is None:
            renewal_client = self.client("secretsmanager", RENEWAL)
            self._secrets = SecretsManager(self.client("secretsmanager"), renewal_client)
        return self._secrets.document(arn)

    def renew(self, deadline: float) -> None:
        """Read secrets again that are too old, where time is left before `deadline` (`time.monotonic`)."""
        if self._secrets is not None:
            self._secrets.renew(min(RENEWAL_SECONDS, deadline - monotonic() - REPORT_SECONDS))

    @cached_property
    def configuration(self) -> Configuration:
        document = self.variables(settings.DocumentVariables)
        value, name = None, "the configuration"
        if document.file:
            value, name = document_in_file(document.file), document.file
        elif document.parameter:
            name = f"SSM parameter {document.parameter}"
            value = document_in_parameter(document.parameter, self.client("ssm"))
        configuration = settings.configuration(value, name, self._environ)
        for line in settings.overridden(value, self._environ):
            _logger.info("%s: %s", name, line)
        for key in retired_keys(value):
            _logger.warning("%s: %s has no effect any more: netvitals works that out itself", name, key)
        observability.set_level(configuration.log_level)
        return configuration

    @cached_property
    def guard(self) -> Guard:
        local = self.variables(settings.DialVariables).allow_local
        return Guard(self.configuration.allowed_networks, allow_local=local)

    @cached_property
    def database(self) -> Database:
        own = self.variables(settings.DatabaseVariables)
        if own.url:
            url = database_url({"url": own.url.reveal()}, "DATABASE_URL")
            return Database(lambda: url)
        secret = self.secret(str(own.secret_arn))
        return Database(lambda: database_url(secret.read(), secret.where), secret.refresh)

    def run[Result](self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def span(self, name: str) -> AbstractContextManager[None]:
        """Return a context manager that traces its duration as a subsegment, where tracing is on."""
        return subsegment(name) if self._tracing else nullcontext()

    @cached_property
    def _runner(self) -> asyncio.Runner:
        """Return the runner of the process's only event loop, to which engines, sockets and locks are bound.

        What has been imported by now stays for life: each full garbage collection would look through it for
        some 35 ms, in which no device is heard. A poll's objects are freed by their count, all but a few.
        """
        gc.freeze()
        gc.set_threshold(COLLECTION_THRESHOLD)
        return asyncio.Runner()

    @cached_property
    def _tracing(self) -> bool:
        return self.variables(settings.TracingVariables).enabled


@cache
def process() -> Parts:
    """Return the parts of this process, from its environment."""
    return Parts(os.environ)


def forget() -> None:
    """Drop the parts, so that the next use makes new ones, as in a new process."""
    process.cache_clear()
