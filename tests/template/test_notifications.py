"""What Slack, Teams, PagerDuty and webhooks get of an event, by the template's own rules and transformers."""

import json
from typing import Any, Literal

import msgspec
import pytest
from moto.events.models import EventPattern

from fixtures.eventbridge import handed_on
from local.aws.cloudformation import EVERYTHING, GIVEN, Deployed
from netvitals.adapters.aws.event_bus import DETAIL_TYPES, SOURCE
from netvitals.domain.decision.announcement import device_event, site_event
from netvitals.domain.decision.status import (
    Cause,
    Change,
    Monitored,
    Polls,
    SiteState,
    Status,
    StatusRecord,
)

NOW = 1_790_000_000.0
HOSTILE = 'sw"1\\ <!channel> & `*_[x](http://evil.example)_*` \u202e\x1b]52;c;x\x07\n{"a": 1}'


# --- What the services publish of their formats: unknown fields are refused.


class Slack(msgspec.Struct, forbid_unknown_fields=True):
    """Incoming webhook."""

    text: str
    mrkdwn: bool = True
    unfurl_links: bool = True


class TextRun(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["TextRun"]
    text: str
    weight: Literal["default", "bolder", "lighter"] = "default"


class RichTextBlock(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["RichTextBlock"]
    inlines: list[TextRun]


class AdaptiveCard(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["http://adaptivecards.io/schemas/adaptive-card.json"] = msgspec.field(name="$schema")
    type: Literal["AdaptiveCard"]
    version: Literal["1.2", "1.3", "1.4"]
    body: list[RichTextBlock]


class Attachment(msgspec.Struct, forbid_unknown_fields=True):
    contentType: Literal["application/vnd.microsoft.card.adaptive"]  # noqa: N815, Teams' word
    contentUrl: None  # noqa: N815, Teams' word
    content: AdaptiveCard


class Teams(msgspec.Struct, forbid_unknown_fields=True):
    """A workflow's `When a Teams webhook request is received`."""

    type: Literal["message"]
    attachments: list[Attachment]


class PagerDutyPayload(msgspec.Struct, forbid_unknown_fields=True):
    summary: str
    source: str
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: str
    component: str


class PagerDuty(msgspec.Struct, forbid_unknown_fields=True):
    """Events API v2, without the routing key, which the connection adds."""

    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: str
    payload: PagerDutyPayload | None = None


# --- Events as the status function writes them.


def device(before: Status, after: Status, *, id_: str = "sw-1", name: str = "core-1") -> dict[str, Any]:
    known = Monitored(id_, Polls(), StatusRecord(announced=before), hostname=name, site="hq")
    now = StatusRecord(after, Cause.NO_ANSWER, since=NOW - 90)
    change = Change(known, now, f"4 polls failed ({name})", is_transition=True, is_announced=True)
    return event("device", device_event(change, NOW).body)


def site(name: str, *, lost: bool) -> dict[str, Any]:
    body = site_event(SiteState(name=name, lost=lost, since=NOW - 90), NOW).body
    return event("site" if name else "fleet", body)


def event(scope: str, body: str) -> dict[str, Any]:
    return {"source": SOURCE, "detail-type": DETAIL_TYPES[scope], "detail": json.loads(body)}


def bodies(kind: str, happened: Any) -> list[str]:
    """What is posted to this service of an event."""
    return [
        handed_on(target, happened)
        for rule in Deployed(EVERYTHING).all("Events::Rule")
        if rule.name.startswith(kind)
        if EventPattern(None, rule.properties["EventPattern"]).matches_event(happened)
        for target in rule.properties["Targets"]
    ]


OUTAGE = device(Status.ONLINE, Status.OFFLINE)
END = device(Status.OFFLINE, Status.ONLINE)
EVENTS = [
    OUTAGE,
    END,
    device(Status.ONLINE, Status.OFFLINE, id_=HOSTILE, name=HOSTILE),
    site("hq", lost=True),
    site(HOSTILE, lost=False),
    site("", lost=True),
]
FORMATS: dict[str, type[msgspec.Struct]] = {"Slack": Slack, "Teams": Teams, "PagerDuty": PagerDuty}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "happened", EVENTS, ids=["outage", "end", "hostile", "site", "hostile site", "fleet"]
)
def test_every_service_gets_its_own_format_whatever_names_hold(kind: str, happened: dict[str, Any]) -> None:
    [body] = bodies(kind, happened)
    msgspec.json.decode(body.encode(), type=FORMATS[kind])


def test_slack_is_told_of_an_outage_and_its_end_and_of_nothing_between() -> None:
    [told] = [msgspec.json.decode(body, type=Slack) for body in bodies("Slack", OUTAGE)]
    assert told.text == "core-1 at hq is offline: 4 polls failed (core-1)"
    assert len(bodies("Slack", END)) == 1
    assert bodies("Slack", device(Status.ONLINE, Status.UNKNOWN)) == []
    assert bodies("Slack", device(Status.UNKNOWN, Status.ONLINE)) == []


def test_a_name_can_neither_call_a_channel_nor_make_a_link() -> None:
    hostile = device(Status.ONLINE, Status.OFFLINE, id_=HOSTILE, name=HOSTILE)
    [slack] = [msgspec.json.decode(body, type=Slack) for body in bodies("Slack", hostile)]
    assert not set("<>") & set(slack.text)
    assert "&amp;" in slack.text
    assert slack.text.isprintable()
    assert not slack.mrkdwn


def test_pagerduty_opens_an_incident_and_resolves_the_same_one() -> None:
    [opened] = [msgspec.json.decode(body, type=PagerDuty) for body in bodies("PagerDuty", OUTAGE)]
    [resolved] = [msgspec.json.decode(body, type=PagerDuty) for body in bodies("PagerDuty", END)]
    assert (opened.event_action, resolved.event_action) == ("trigger", "resolve")
    assert opened.dedup_key == resolved.dedup_key == "netvitals/device/sw-1"
    assert opened.payload is not None
    assert (opened.payload.severity, opened.payload.source) == ("critical", "device/sw-1")
    assert bodies("PagerDuty", device(Status.OFFLINE, Status.UNREACHABLE)) == [], "it is not over"


@pytest.mark.parametrize("id_", ["x" * 300, HOSTILE])
def test_a_key_is_short_and_the_same_whatever_a_device_is_called(id_: str) -> None:
    keys = {
        msgspec.json.decode(body, type=PagerDuty).dedup_key
        for before, after in ((Status.ONLINE, Status.OFFLINE), (Status.OFFLINE, Status.ONLINE))
        for body in bodies("PagerDuty", device(before, after, id_=id_))
    }
    assert len(keys) == 1
    assert len(keys.pop()) <= 255


def test_a_webhook_gets_every_event_as_it_is() -> None:
    for happened in (*EVENTS, device(Status.ONLINE, Status.UNKNOWN)):
        [body] = bodies("Webhook", happened)
        assert json.loads(body) == happened["detail"]


def test_no_secret_stands_where_it_can_be_hidden() -> None:
    deployed = Deployed(EVERYTHING)
    for destination in deployed.all("Events::ApiDestination"):
        endpoint = destination.properties["InvocationEndpoint"]
        assert endpoint.endswith(":url}}") or endpoint == "https://events.pagerduty.com/v2/enqueue"
    secrets = [
        parameter
        for connection in deployed.all("Events::Connection")
        for kind in connection.properties["AuthParameters"].get("InvocationHttpParameters", {}).values()
        for parameter in kind
    ]
    assert {each["Key"] for each in secrets} == {"sig", "routing_key"}
    assert all(each["IsValueSecret"] is True for each in secrets)


def test_what_could_not_be_delivered_is_kept() -> None:
    for rule in Deployed(EVERYTHING).all("Events::Rule"):
        for target in rule.properties["Targets"]:
            assert target["DeadLetterConfig"]["Arn"].endswith(":NotificationDeadLetters")
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 14_400


def test_who_asks_for_none_gets_none() -> None:
    for given in (GIVEN, EVERYTHING | {"EventBusName": "none"}):
        deployed = Deployed(given)
        for kind in ("Rule", "Connection", "ApiDestination"):
            assert deployed.all(f"Events::{kind}") == []
        assert "NotificationDeadLetters" not in deployed.resources
        assert "NotificationRole" not in deployed.resources
