"""Inventories in files, as people and spreadsheets write them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from netvitals.adapters.files.inventory import MAX_LINE_CHARACTERS, read_devices, read_inventory
from netvitals.domain.errors import Unavailable
from netvitals.domain.inventory.device import Device

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes) -> Path:
        path = tmp_path / "inventory"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def faults(path: Path) -> list[str]:
    return [str(bad) for bad in read_devices(path)[1]]


FULL = Device(
    id="sw-1",
    ip_address="10.0.0.1",
    hostname="core",
    mac_address="aa:bb:cc:dd:ee:ff",
    device_type="network",
    credential="core",
    site="Zürich",
    parent_id="r-1",
    enabled=False,
    maintenance_until=1795449600.0,
    settings={"snmp": {"port": 1161}},
)


def test_csv_and_json_lines_give_the_same_device(write: Write) -> None:
    csv = write(
        "id,ip_address,hostname,mac_address,device_type,credential,site,parent_id,enabled,maintenance_until,settings\n"
        "sw-1,10.0.0.1,core,aa:bb:cc:dd:ee:ff,network,core,Zürich,r-1,no,2026-11-23T16:00:00Z,"
        '"{""snmp"": {""port"": 1161}}"\n'
    )
    assert read_devices(csv) == ([FULL], [])
    json_lines = write(
        '{"id": "sw-1", "ip_address": "10.0.0.1", "hostname": "core", "mac_address": "aa:bb:cc:dd:ee:ff",'
        ' "device_type": "network", "credential": "core", "site": "Zürich", "parent_id": "r-1",'
        ' "enabled": false, "maintenance_until": "2026-11-23T17:00:00+01:00",'
        ' "settings": {"snmp": {"port": 1161}}}\n'
    )
    assert read_devices(json_lines) == ([FULL], [])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfid,ip_address\r\n\r\n1,10.0.0.1\r\n",
        b"\nid;ip_address\n1;10.0.0.1\n;\n",
        b"ID\tIP_Address\n1\t 10.0.0.1 ",
        b'\xef\xbb\xbf\n{"id": 1, "ip_address": "10.0.0.1"}\r\n\r\n',
        b'{"id": "1", "ip_address": "10.0.0.1", "site": null, "settings": "{}"}',
    ],
)
def test_marks_separators_line_ends_and_empty_lines_do_no_harm(write: Write, content: bytes) -> None:
    assert read_devices(write(content)) == ([Device(id="1", ip_address="10.0.0.1")], [])


def test_a_row_at_fault_says_every_field_and_leaves_the_others(write: Write) -> None:
    path = write("id,enabled,maintenance_until\na,yes,\n,perhaps,soon\nc,,\n")
    devices, bad_rows = read_devices(path)
    assert [device.id for device in devices] == ["a", "c"]
    assert [(bad.where, bad.field, bad.value) for bad in bad_rows] == [
        ("line 3", "id", ""),
        ("line 3", "enabled", "'perhaps'"),
        ("line 3", "maintenance_until", "'soon'"),
    ]
    assert "true or false" in bad_rows[1].cause


@pytest.mark.parametrize("separator", ["\n", "\r\n"])
def test_a_record_of_several_lines_is_named_by_its_first(write: Write, separator: str) -> None:
    rows = ["id,settings", '1,"{""snmp"":', '{""port"": 1}}"', '2,"{"', '3,"{}"']
    path = write(separator.join(rows))
    devices, bad_rows = read_devices(path)
    assert [device.id for device in devices] == ["1", "3"]
    assert [bad.where for bad in bad_rows] == ["line 4"]


def test_settings_are_never_shown(write: Write) -> None:
    path = write('id,settings\n1,"{""snmp"": {""community"": ""s3cret"", }"\n2,s3cret\n')
    assert len(faults(path)) == 2
    assert "s3cret" not in "".join(faults(path))


def test_a_misspelled_column_is_a_fault_and_a_foreign_one_is_not(write: Write) -> None:
    read = read_inventory(write("id,ip_adress,rack\n1,10.0.0.1,7\n2,10.0.0.2,7\n"))
    assert [str(bad) for bad in read.bad_rows] == [
        "line 1: column 'ip_adress': is unknown: did you mean ip_address?"
    ]
    assert sorted(read.ignored) == ["ip_adress", "rack"]
    assert faults(write('{"id": 1, "hostnam": "x"}\n')) == [
        "line 1: column 'hostnam': is unknown: did you mean hostname?"
    ]


def test_what_pollers_remember_is_not_taken_from_a_file(write: Write) -> None:
    assert read_devices(write('{"id": "1", "memory": {"profile": "x"}}')) == ([Device(id="1")], [])


@pytest.mark.parametrize("content", ["", "hostname,ip_address\na,10.0.0.1\n", "id,id\n1,2\n", "\x00\n"])
def test_a_header_without_its_columns_says_what_they_are(write: Write, content: str) -> None:
    devices, [bad] = read_devices(write(content))
    assert devices == []
    assert "`id`" in bad.cause
    assert "ip_address" in bad.cause


def test_a_header_names_what_was_found(write: Write) -> None:
    [fault] = faults(write("Device;IP Address\na;10.0.0.1\n"))
    assert fault.startswith("line 1: header: has no column `id`; found: device, ip address.")


def test_what_is_no_utf8_is_told_with_its_byte_and_read_by_its_encoding(write: Write) -> None:
    path = write("id,hostname,site\n1,a,x\n2,b,Zürich\n".encode("cp1252"))
    assert faults(path) == [
        "line 3: row: is not UTF-8 (byte FC): save it as 'CSV UTF-8', or import it with --encoding cp1252"
    ]
    assert read_inventory(path, encoding="cp1252").rows[1][1].site == "Zürich"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "idna", "punycode"])
def test_a_file_of_another_encoding_than_was_named_is_told_with_both_names(
    write: Write, encoding: str
) -> None:
    path = write(b"id,hostname\n1,\xdf\xff-a.\xff\n")
    with pytest.raises(Unavailable, match=f"the inventory .* is not in the encoding {encoding}"):
        read_inventory(path, encoding=encoding)


def test_of_a_row_at_fault_the_rest_is_kept_for_the_other_checks(write: Write) -> None:
    read = read_inventory(write("id,enabled,ip_address\na,maybe,300.1.1.1\n"))
    assert read.rows == []
    assert read.partial == [("line 2", Device(id="a", ip_address="300.1.1.1"))]


def test_a_line_without_an_end_is_left_out_and_the_next_is_read(write: Write) -> None:
    long = "x" * (3 * MAX_LINE_CHARACTERS)
    for content in (
        f"id,site\n1,{long}\n2,b\n",
        f'{{"id": "1", "site": "{long}"}}\n{{"id": "2", "site": "b"}}\n',
    ):
        devices, [bad] = read_devices(write(content))
        assert devices == [Device(id="2", site="b")]
        assert "longer than" in bad.cause


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe,a",
        b"1\x00,a",
        b"1,a,b,c",
        b'1,"a"b',
        b"1," + b"a" * 300,
        b'1,"a\nb"',
        b"\xe2\x80\xae1,a",
        b'1,"never closed',
    ],
)
def test_hostile_csv_lines_are_faults_with_their_line(write: Write, line: bytes) -> None:
    devices, bad_rows = read_devices(write(b"id,site\n0,ok\n" + line))
    assert [device.id for device in devices] == ["0"]
    assert {bad.where for bad in bad_rows} == {"line 3"}
    assert "\n" not in str(bad_rows[0])


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b"7",
        b"{",
        b'{"id": {}}',
        b'{"id": 1e400}',
        b'{"id": true}',
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b'{"id": "1", "settings": ' + b"[" * 9999,
        b'{"id": "1", "settings": "' + b"[" * 9999 + b'"}',
        b'{"id": "1", "maintenance_until": "99999-01-01"}',
        b'{"id": "1", "maintenance_until": "9999-12-31T23:59:59-12:00"}',
        b'{"id": "1", "maintenance_until": 1764000000000}',
        b'{"id": "1", "maintenance_until": -1e18}',
        b'{"id": "1", "maintenance_until": "NaN"}',
        b'{"id": "1", "enabled": 7}',
    ],
)
def test_hostile_json_lines_are_faults_with_their_line(write: Write, line: bytes) -> None:
    devices, bad_rows = read_devices(write(b'{"id": "0"}\n' + line))
    assert [device.id for device in devices] == ["0"]
    assert {bad.where for bad in bad_rows} == {"line 2"}


def test_a_missing_folder_or_utf16_file_says_what_to_do(write: Write, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        read_devices(tmp_path / "absent")
    with pytest.raises(Unavailable, match="directory"):
        read_devices(tmp_path)
    with pytest.raises(Unavailable, match="save it as UTF-8"):
        read_devices(write("id,site\n".encode("utf-16")))
