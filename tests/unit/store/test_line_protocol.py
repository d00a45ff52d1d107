import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client import Point as ClientPoint

from netvitals.domain.polling.changes import InterfaceInfo
from netvitals.domain.polling.instances import admitted
from netvitals.domain.polling.metrics import METRICS
from netvitals.domain.polling.point import Point, fault_of
from netvitals.store.line_protocol import (
    MAX_NAME_CHARACTERS,
    encode,
    encode_interfaces,
    status_line,
    tag_value,
)
from netvitals.usecases.turns import at_once

NOW = 1_763_913_600_123_456_789
ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)
HOSTILE = st.text(alphabet=st.sampled_from('\\,= "\n\r\t\0#a\ud800é\u2028\x7f'), max_size=12)


def read_line(line: str) -> tuple[dict[str, str], str, str]:
    """Tags, fields and time of a line, by the protocol's grammar and nothing of the encoder's."""
    head, fields, time = re.split(r"(?<!\\) ", line)
    measurement, *pairs = re.split(r"(?<!\\),", head)
    assert measurement == "device_metrics"
    tags = dict(re.split(r"(?<!\\)=", pair, maxsplit=1) for pair in pairs)
    return {key: re.sub(r"\\([,= ])", r"\1", value) for key, value in tags.items()}, fields, time


def line_of(point: Point, device_id: str = "sw1") -> str:
    assert fault_of(point) is None
    [line] = encode(device_id, [point])
    return line


def test_a_measure_is_a_float_for_ever_even_when_it_is_whole() -> None:
    assert line_of(Point("cpu_percent", 7, NOW)) == (
        f"device_metrics,device_id=sw1,metric_name=cpu_percent value=7.0 {NOW}"
    )


def test_a_counter_is_written_in_all_its_digits_with_the_interface_index_beside_it() -> None:
    point = Point("net_bytes_in", 12.0, NOW, instance="Gi1/0/1", if_index=10101, alias="to core")
    assert line_of(point) == (
        "device_metrics,alias=to\\ core,device_id=sw1,instance=Gi1/0/1,metric_name=net_bytes_in "
        f"value=12 {NOW}"
    )


@pytest.mark.parametrize("counter", [0, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_line_holds_a_64_bit_counter_exactly(counter: int) -> None:
    assert f"value={counter} " in line_of(Point("net_bytes_in", counter, NOW))


def test_every_metric_has_the_one_type_that_influxdb_allows_its_field() -> None:
    lines = [line_of(Point(metric, 1, NOW)) for metric in METRICS]
    assert not [line for line in lines if not re.search(r" value=1(\.0)? ", line)]


@pytest.mark.parametrize(
    ("point", "named"),
    [
        (Point("cpu_percent", math.nan, NOW), "no finite number"),
        (Point("uptime_seconds", math.inf, NOW), "no finite number"),
        (Point("uptime_seconds", 10**400, NOW), "no finite number"),
        (Point("cpu_percent", 101, NOW), "above 100"),
        (Point("net_bytes_in", -1, NOW), "below 0"),
        (Point("net_bytes_in", 1.5, NOW), "no whole number"),
        (Point("cpu_percent", 1, 0), "no time"),
        (Point("cpu_percent", 1, 2**63), "no time"),
        (Point("net_bytes_in", 1, NOW, if_index=-1), "interface index"),
        (Point("invented", 1, NOW), "no metric"),
    ],
)
def test_an_unfit_point_is_left_out_with_its_fault(point: Point, named: str) -> None:
    good = Point("cpu_percent", 1.5, NOW)
    found = at_once(admitted([point, good], None, 0))
    assert found.points == [good]
    assert [named in fault for fault in found.faults] == [True]


@given(device_id=ANY_TEXT.filter(bool) | HOSTILE.filter(bool), instance=ANY_TEXT | HOSTILE, alias=HOSTILE)
def test_no_name_can_add_a_line_a_tag_a_field_or_a_time(device_id: str, instance: str, alias: str) -> None:
    line = line_of(Point("cpu_percent", 1.0, NOW, instance=instance, alias=alias), device_id)
    assert line.isprintable() or not re.search(r"[\x00-\x1f\x7f]", line)
    tags, fields, time = read_line(line)
    present = {"device_id", "metric_name"}
    present |= {key for key, value in (("instance", instance), ("alias", alias)) if value}
    assert set(tags) == present
    assert (fields, time) == ("value=1.0", str(NOW))
    line.encode()  # is UTF-8


@given(
    text=st.text(
        alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\"), max_size=200
    )
)
def test_an_ordinary_name_reads_back_as_it_was(text: str) -> None:
    tags, _, _ = read_line(line_of(Point("cpu_percent", 1, NOW, instance=text)))
    assert tags.get("instance", "") == text


@given(
    instance=st.text(
        alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\"), max_size=200
    ),
    value=st.floats(0, 1e299),
)
def test_influxdb_client_writes_the_same_line_for_a_measure(instance: str, value: float) -> None:
    theirs = ClientPoint("device_metrics").tag("device_id", "sw 1").tag("metric_name", "uptime_seconds")
    theirs = theirs.tag("instance", instance).field("value", value).time(NOW)
    ours = line_of(Point("uptime_seconds", value, NOW, instance=instance), "sw 1")
    assert re.sub(r"(value=\d+)\.0 ", r"\1 ", ours) == theirs.to_line_protocol()


@given(
    metric=st.sampled_from([n for n, s in METRICS.items() if s.kind == "counter"]),
    value=st.integers(0, 2**63 - 1),
)
def test_influxdb_client_writes_the_same_line_for_a_counter(metric: str, value: int) -> None:
    theirs = ClientPoint("device_metrics").tag("device_id", "sw1").tag("metric_name", metric)
    theirs = theirs.field("value", value).time(NOW)
    assert line_of(Point(metric, value, NOW)) == theirs.to_line_protocol().replace("i ", " ")


@pytest.mark.parametrize(("name", "stored"), [("C:\\", "C:%5C"), ("a\nb", "a%0Ab"), ("\ud800", "%ED%A0%80")])
def test_what_line_protocol_cannot_carry_is_percent_encoded(name: str, stored: str) -> None:
    assert tag_value(name) == stored


def test_two_long_names_that_begin_alike_stay_two_series_of_bounded_length() -> None:
    one, other = tag_value("x" * 5000 + "1"), tag_value("x" * 5000 + "2")
    assert one != other
    assert len(one) == len(other) == MAX_NAME_CHARACTERS


@given(status=ANY_TEXT | HOSTILE)
def test_a_status_cannot_leave_its_quotes(status: str) -> None:
    line = status_line("sw1", status, 0, NOW)
    assert re.fullmatch(r'device_status,device_id=sw1 status="(?:[^"\\\n]|\\["\\])*",up=0i \d+', line)


def test_what_is_text_about_an_interface_is_a_line_of_its_own() -> None:
    infos = [
        InterfaceInfo("Gi1/0/1", 'to "core"', "ethernetCsmacd", 10101),
        InterfaceInfo("lo, 0", "a\x1b[2J\\", ""),
    ]
    assert encode_interfaces("sw 1", infos, NOW) == [
        (
            rf'interface_info,device_id=sw\ 1,instance=Gi1/0/1 description="to \"core\"",'
            f'type="ethernetCsmacd",if_index=10101i {NOW}'
        ),
        rf'interface_info,device_id=sw\ 1,instance=lo\,\ 0 description="a [2J\\",type="" {NOW}',
    ]
