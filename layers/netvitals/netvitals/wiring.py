"""The composition root: use cases with their adapters, made when first needed, kept for the process's life.

The only place that knows both sides. A cold start makes, and imports, what its own function needs.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from netvitals import observability, settings
from netvitals.domain.access import InfluxAccess, database_url, influx_access
from netvitals.domain.configuration import Configuration
from netvitals.domain.errors import NetvitalsError
from netvitals.domain.guard import Guard

if TYPE_CHECKING:
    from netvitals.adapters.credential_map import JsonObject
    from netvitals.adapters.no_queue import NoSpool
    from netvitals.adapters.postgres import Database
    from netvitals.adapters.sink_influx import InfluxSink
    from netvitals.adapters.spool_sqs import SqsSpool
    from netvitals.domain.ports import CredentialStore, Publisher, Spool
    from netvitals.usecases.collect import Collect
    from netvitals.usecases.fan_out import FanOut
    from netvitals.usecases.replay import Replay
    from netvitals.usecases.update_status import UpdateStatus

_logger = logging.getLogger(__name__)


class Wiring:
    """What one process is made of. A use case is an attribute, made at its first use, or tried again.

    Raises, on the first use of an attribute:
        ConfigurationError: a variable, the document, or a secret's content can't be used.
        Unavailable: a secret or the document can't be read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def fan_out(self) -> "FanOut":
        from netvitals.adapters.inventory_postgres import PostgresInventory
        from netvitals.adapters.queue_sqs import SqsJobQueue
        from netvitals.usecases.fan_out import FanOut

        urls = self._variables(settings.WorkQueueVariables)
        return FanOut(
            inventory=PostgresInventory(self.database),
            queues={
                "status": SqsJobQueue(self.clients("sqs"), urls.status),
                "metrics": SqsJobQueue(self.clients("sqs"), urls.metrics),
            },
            policy=self.configuration.policy,
            guard=self.guard.check,
            clock=time.time,
            complain=_logger.warning,
            jobs_per_message=self.configuration.fanout.jobs_per_message,
        )

    @cached_property
    def collect(self) -> "Collect":
        from netvitals.adapters.state_postgres import PostgresObservationStore
        from netvitals.collectors.reach.prober import HostProber
        from netvitals.collectors.reach.resolve import Resolver
        from netvitals.collectors.registry import collector_for
        from netvitals.usecases.collect import Collect, Limits
        from netvitals.usecases.poll_device import PollDevice
        from netvitals.usecases.store_points import StoreObservations, StorePoints

        poller = PollDevice(
            Resolver(self.guard).resolve, self.credentials, HostProber(), collector_for, _device_fault
        )
        return Collect(
            poller,
            StorePoints(self.sink, self.spool, self.rejects),
            StoreObservations(PostgresObservationStore(self.database), self.spool),
            _fault,
            limits=msgspec.convert(self.configuration.collector, Limits, from_attributes=True),
        )

    @cached_property
    def update_status(self) -> "UpdateStatus":
        from netvitals.adapters.status_postgres import PostgresStatusStore
        from netvitals.usecases.update_status import UpdateStatus

        return UpdateStatus(
            store=PostgresStatusStore(self.database),
            policy=self.configuration.policy,
            sink=self.sink,
            complain=_logger.warning,
            settings=self.configuration.status,
            events=self._events(),
            digests=self._digests(),
        )

    @cached_property
    def replay(self) -> "Replay":
        from netvitals.adapters.state_postgres import PostgresObservationStore
        from netvitals.usecases.replay import Replay

        observations = PostgresObservationStore(self.database)
        return Replay(self.sink, observations, self.spool, self.rejects, self.spool)

    @cached_property
    def configuration(self) -> Configuration:
        document = self._variables(settings.DocumentVariables)
        value, name = None, "the configuration"
        if document.file:
            from netvitals.adapters.configuration_document import document_in_file

            value, name = document_in_file(document.file), document.file
        elif document.parameter:
            from netvitals.adapters.configuration_document import document_in_parameter

            name = f"SSM parameter {document.parameter}"
            value = document_in_parameter(document.parameter, self.clients("ssm"))
        configuration = settings.configuration(value, name, self._environ)
        observability.set_level(configuration.log_level)
        return configuration

    @cached_property
    def guard(self) -> Guard:
        local = self._variables(settings.DialVariables).allow_local
        return Guard(self.configuration.allowed_networks, allow_local=local)

    @cached_property
    def database(self) -> "Database":
        from netvitals.adapters.postgres import Database

        own = self._variables(settings.DatabaseVariables)
        if own.url:
            url = database_url({"url": own.url.reveal()}, "DATABASE_URL")
            return Database(lambda: url)
        secret = self._secret(str(own.secret_arn))
        return Database(lambda: database_url(secret.read(), secret.where), secret.refresh)

    @cached_property
    def sink(self) -> "InfluxSink":
        from netvitals.adapters.sink_influx import InfluxSink

        return InfluxSink(self.influx_access, self.configuration.influxdb, self._influx_secret.refresh)

    def influx_access(self) -> InfluxAccess:
        """What the secret says now, with what the environment and the document put in its place."""
        own = self._variables(settings.InfluxVariables)
        over = {
            "url": own.url,
            "token": own.token.reveal() if own.token else None,
            "org": own.org,
            "bucket": self.configuration.influxdb.bucket,
        }
        given = {**self._influx_secret.read(), **{key: value for key, value in over.items() if value}}
        return influx_access(given, self._influx_secret.where)

    @cached_property
    def spool(self) -> "SqsSpool | NoSpool":
        from netvitals.adapters.no_queue import NoSpool

        return self._queue(self._variables(settings.SpoolVariables).spool) or NoSpool()

    @cached_property
    def rejects(self) -> "Spool":
        from netvitals.adapters.no_queue import RejectLog

        return self._queue(self._variables(settings.SpoolVariables).reject) or RejectLog()

    @cached_property
    def credentials(self) -> "CredentialStore":
        from netvitals.adapters.credential_map import CredentialMap

        own = self._variables(settings.CredentialVariables)
        if own.file:
            from netvitals.adapters.credentials_file import JsonFile

            return CredentialMap(JsonFile(own.file))
        return CredentialMap(self._secret(str(own.secret_arn)))

    @cached_property
    def runner(self) -> asyncio.Runner:
        """One event loop for the life of the process: engines, sockets and locks belong to their loop."""
        return asyncio.Runner()

    def run[Result](self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def span(self, name: str) -> AbstractContextManager[None]:
        """A part of this invocation's trace, where tracing is on."""
        if not self._tracing:
            return nullcontext()
        from netvitals.adapters.xray import subsegment

        return subsegment(name)

    @cached_property
    def clients(self) -> Callable[[str], Any]:
        """The boto3 client of a service, made once."""
        from netvitals.adapters.aws import client

        return cache(client)

    def _variables[V: settings.Variables](self, wanted: type[V]) -> V:
        return settings.variables(wanted, self._environ)

    def _events(self) -> "Publisher | None":
        bus = self._variables(settings.NoticeVariables).event_bus
        if not bus:
            return None
        from netvitals.adapters.events_eventbridge import EventBus

        return EventBus(self.clients("events"), bus, _logger.warning)

    def _digests(self) -> "Publisher | None":
        topic = self._variables(settings.NoticeVariables).digest_topic
        if not topic:
            return None
        from netvitals.adapters.digest_sns import DigestTopic

        return DigestTopic(self.clients("sns"), topic, _logger.warning)

    def _queue(self, url: str | None) -> "SqsSpool | None":
        if not url:
            return None
        from netvitals.adapters.spool_sqs import SqsSpool

        return SqsSpool(self.clients("sqs"), url)

    @cached_property
    def _tracing(self) -> bool:
        return self._variables(settings.TracingVariables).enabled

    @cached_property
    def _influx_secret(self) -> "JsonObject":
        arn = self._variables(settings.InfluxVariables).secret_arn
        return self._secret(arn) if arn else _Nothing("the environment's INFLUXDB_URL, _TOKEN and _ORG")

    def _secret(self, arn: str) -> "JsonObject":
        from netvitals.adapters.secrets_manager import SecretDocument

        return SecretDocument(arn, self.clients("secretsmanager"))


class _Nothing:
    """No secret: the environment says all, and reading it anew changes nothing."""

    def __init__(self, where: str) -> None:
        self.where = where

    def read(self) -> dict[str, Any]:
        return {}

    def refresh(self) -> bool:
        return False


def _fault(what: str, error: BaseException) -> None:
    """A fault of our own while something was done that concerns one device or message."""
    deliberate = isinstance(error, NetvitalsError)
    _logger.error("%s: %s", what, error, exc_info=None if deliberate else error)


def _device_fault(device_id: str, what: str, error: BaseException) -> None:
    _fault(f"{what} of device {device_id}", error)


@cache
def process() -> Wiring:
    """The wiring of this process, from its environment."""
    return Wiring(os.environ)
