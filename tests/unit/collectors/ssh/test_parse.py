"""From bytes as they arrive to sections and findings; every byte may be hostile."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvitals.collectors.ssh.faults import SshFault
from netvitals.collectors.ssh.findings import df_rows
from netvitals.collectors.ssh.parse import SYSTEMS, read, sections_of
from netvitals.collectors.ssh.probe import Output, Probe, script
from netvitals.domain.polling.observation import Reason
from netvitals.domain.polling.point import fault_of

NONCE = "0123456789abcdef"
MEMORY = b"MemTotal: 1000 kB\nMemAvailable: 250 kB\n"


def mark(section: str) -> bytes:
    return f"@@{NONCE} {section}\n".encode()


def test_what_a_profile_or_banner_prints_does_not_matter() -> None:
    noise = b"Welcome!\r\n@@end\n@@other begin Linux\n\x00\xff\xfe\n"
    sections = sections_of([(5, noise + mark("begin Linux") + mark("memory") + MEMORY + mark("end"))], NONCE)
    assert set(sections) == {"begin", "memory", "end"}
    assert sections["begin"].word == "Linux"


def test_what_comes_before_the_beginning_is_no_section() -> None:
    assert sections_of([(5, mark("memory") + MEMORY)], NONCE) == {}


def test_a_line_that_was_cut_off_is_left_out_since_a_part_of_a_number_is_another_number() -> None:
    sections = sections_of([(5, mark("begin Linux") + mark("uptime") + b"12345")], NONCE)
    assert sections["uptime"].lines == []


def test_a_section_has_the_time_at_which_it_arrived() -> None:
    sections = sections_of(
        [(5, mark("begin Linux") + mark("uptime")[:7]), (6, mark("uptime")[7:] + b"1 1\n"), (7, mark("end"))],
        NONCE,
    )
    assert {name: section.time_ns for name, section in sections.items()} == {
        "begin": 5,
        "uptime": 6,
        "end": 7,
    }
    assert {point.time_ns for point in read(sections).points} == {6}


def test_two_probes_never_share_a_marker() -> None:
    assert Probe(second_sample=True, disks=True).end != Probe(second_sample=True, disks=True).end


def test_an_echo_of_the_probe_is_no_answer() -> None:
    probe = Probe(second_sample=True, disks=True)
    with pytest.raises(SshFault) as caught:
        probe.findings(Output([(5, probe.stdin)]))
    assert caught.value.reason is Reason.UNSUPPORTED


def test_the_probe_is_one_small_text_without_comments() -> None:
    assert len(script()) < 6000
    assert b"\n#" not in script()
    assert script().endswith(b"netvitals </dev/null 2>/dev/null\n")


@pytest.mark.parametrize(
    ("output", "reason", "text"),
    [
        (Output([(1, b"This account is currently not available.\n")]), Reason.UNSUPPORTED, "not available"),
        (Output([], b"rbash: sh: command not found\n"), Reason.UNSUPPORTED, "rbash: sh: command not found"),
        (Output([], timed_out=True), Reason.TIMEOUT, "within the time limit"),
        (Output([(1, b"\x1b[2J\x07" + b"x" * 500)]), Reason.UNSUPPORTED, "[2J xxx"),
    ],
)
def test_where_the_probe_did_not_run_the_fault_says_what_the_device_said(
    output: Output, reason: Reason, text: str
) -> None:
    with pytest.raises(SshFault, match="the login") as caught:
        Probe(second_sample=False, disks=True).findings(output)
    assert caught.value.reason is reason
    assert text in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_an_unknown_system_is_told_by_its_name() -> None:
    probe = Probe(second_sample=False, disks=True)
    marker = probe.end.decode().replace("end", "begin SunOS")
    with pytest.raises(SshFault, match="'SunOS'"):
        probe.findings(Output([(1, marker.encode())], complete=True))


def test_what_was_read_before_the_answer_broke_off_is_kept() -> None:
    probe = Probe(second_sample=False, disks=True)
    begin, memory = (probe.end.decode().replace("end", name) for name in ("begin Linux", "memory"))
    output = Output([(1, begin.encode() + memory.encode() + MEMORY)], fault="it ended early")
    findings = probe.findings(output)
    assert findings.points[0].value == 75
    assert findings.faults[-1] == "the probe was cut short, it ended early"


def test_an_answer_that_stops_in_df_is_a_df_that_hangs() -> None:
    probe = Probe(second_sample=False, disks=True)
    begin, mounts = (probe.end.decode().replace("end", name) for name in ("begin Linux", "mounts"))
    findings = probe.findings(Output([(1, (begin + mounts).encode())], fault="it did not end in time"))
    assert probe.df_hung
    assert not any("cut short" in fault for fault in findings.faults)


def test_df_keeps_paths_with_spaces_and_each_source_once() -> None:
    rows = df_rows(
        [
            "Filesystem 1024-blocks Used Available Capacity Mounted on",
            "/dev/a b 100 50 50 50% /mnt/a b",
            "/dev/a b 100 50 50 50% /again",
            "none 0 0 0 - /run",
            "/dev/c 9 9 -1 101% /c",
        ]
    )
    assert [(row.source, row.path) for row in rows] == [("/dev/a b", "/mnt/a b"), ("/dev/c", "/c")]


_names = st.sampled_from(
    [
        "uptime",
        "cpu",
        "cpu2",
        "memory",
        "cgroup",
        "network",
        "interfaces",
        "temperature",
        "mounts",
        "df",
        "exit",
        "sysctl",
        "clock",
        "vm_stat",
        "netstat",
        "netstat2",
        "ifconfig",
        "top",
    ]
)
_words = st.sampled_from(
    [
        *(
            "cpu",
            "MemTotal:",
            "kB",
            "eth0:",
            "-1",
            "0",
            "1e999",
            "nan",
            "hwmon",
            "zone",
            "temp",
            "memory.max",
        ),
        *(
            "kern.cp_time:",
            "hw.physmem:",
            "kern.boottime=",
            "Name",
            "<Link#1>",
            "Ibytes",
            "Address",
            "Network",
        ),
        *("/", "50%", ":", "²", "9" * 19, "9" * 5000, "{ sec = 1 }", "(page size of 0 bytes)", "% idle", " "),
    ]
)
_lines = st.lists(_words, max_size=16).map(" ".join)


@given(st.sampled_from(sorted(SYSTEMS)), st.dictionaries(_names, st.lists(_lines, max_size=6)))
def test_no_answer_breaks_the_reader_and_what_it_makes_of_it_can_be_written(
    system: str, answer: dict[str, list[str]]
) -> None:
    text = mark(f"begin {system}")
    for name, lines in answer.items():
        text += mark(name) + "\n".join([*lines, ""]).encode()
    findings = read(sections_of([(5, text)], NONCE))
    fit = [point for point in findings.points if fault_of(point) is None]
    assert json.dumps([point.value for point in fit])


@given(st.binary(max_size=400))
def test_no_bytes_break_the_division_into_sections(data: bytes) -> None:
    assert "begin" in sections_of([(5, mark("begin Linux") + data)], NONCE)


FLOOD = 1024 * 1024
_SIZE = {"lines": b"\n", "words": b"x\n", "sections": mark("a"), "rows": b"/ 1 1 1 1% /\n", "digits": b"9"}


@pytest.mark.parametrize("kind", _SIZE)
@pytest.mark.parametrize(
    ("system", "section"),
    [("Linux", "network"), ("Linux", "df"), ("Linux", "temperature"), ("FreeBSD", "ifconfig"),
     ("FreeBSD", "netstat"), ("OpenBSD", "sysctl"), ("Darwin", "top")],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_a_moment(system: str, section: str, kind: str) -> None:
    unit = _SIZE[kind]
    flood = mark(f"begin {system}") + mark("mounts") + mark(section) + unit * (FLOOD // len(unit)) + b"\n"
    before = time.process_time()
    read(sections_of([(5, flood)], NONCE))
    assert time.process_time() - before < 1.0


def test_what_is_left_out_of_a_section_that_is_too_long_is_reported() -> None:
    rows = b"".join(b"e%d: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n" % number for number in range(2501))
    findings = read(sections_of([(5, mark("begin Linux") + mark("network") + rows)], NONCE))
    assert len({point.instance for point in findings.points}) == 2500
    assert "interfaces: the device says more than 2500 lines of it" in findings.faults


@pytest.mark.parametrize("noise", [b"\n", b"x\n", b"@@\n"])
def test_a_profile_that_talks_without_end_costs_no_time(noise: bytes) -> None:
    output = noise * (FLOOD // len(noise)) + mark("begin Linux") + mark("memory") + MEMORY + mark("end")
    before = time.process_time()
    assert "end" in sections_of([(5, output)], NONCE)
    assert time.process_time() - before < 0.1


def test_a_line_of_a_megabyte_is_cut_and_gives_no_number() -> None:
    text = mark("begin Linux") + mark("memory") + b"MemTotal: " + b"1" * FLOOD + b" kB\nMemAvailable: 1 kB\n"
    sections = sections_of([(5, text)], NONCE)
    assert max(len(line) for line in sections["memory"].lines) < 2000
    assert not [point for point in read(sections).points if "memory" in point.metric_name]


def test_what_a_terminal_obeys_is_out_of_a_name_before_it_is_a_point() -> None:
    df = b"/dev/a 100 50 50 50% /srv\x1b]52;c;cHduZWQ=\x07\xc2\x9b31m\n"
    findings = read(sections_of([(5, mark("begin Linux") + mark("df") + df + mark("end"))], NONCE))
    findings.add_interface("eth0\x1b[2J", {"net_bytes_in": 1}, None, 5)
    names = {point.instance for point in findings.points}
    assert names == {"/srv ]52;c;cHduZWQ= 31m", "eth0 [2J"}
