"""Profile files, the index that is built of them, and which profile a device gets."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from local.devices.snmp_tables import tables_of
from netvitals.collectors.snmp.profiles.build_index import (
    candidates_of,
    index_of,
    refresh_index,
    write_index,
)
from netvitals.collectors.snmp.profiles.files import KNOWN as KNOWN_FILE
from netvitals.collectors.snmp.profiles.files import read_folder, read_profiles
from netvitals.collectors.snmp.profiles.index import (
    STANDARD,
    Identity,
    ProfileBook,
    choose,
    match_file_of,
    probes_of,
)
from netvitals.collectors.snmp.profiles.packaged import PACKAGED, packaged_profiles
from netvitals.collectors.snmp.profiles.schema import SECTIONS
from netvitals.domain.errors import ConfigurationError

ENTERPRISE = "1.3.6.1.4.1.99999"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def book(folder: Path) -> ProfileBook:
    write_index(read_folder(folder), folder / "index")
    return ProfileBook(folder / "index")


def chosen(found: ProfileBook, sysobjectid: str, sysdescr: str = "", **probed: str) -> str:
    candidates = found.candidates(Identity(sysobjectid, sysdescr))
    answers = {oid: probed["value"] for oid in probes_of(candidates) if probed}
    return choose(candidates, tables_of(answers))


def test_the_packages_own_profiles_are_sound() -> None:
    profiles = read_folder(PACKAGED)
    assert STANDARD in profiles
    assert all(p.match for name, p in profiles.items() if not name.startswith("_")), "a profile nobody gets"


def test_the_packages_own_profiles_can_be_read_where_pyyaml_has_no_libyaml() -> None:
    for path in PACKAGED.rglob("*.yaml"):
        assert yaml.compose(path.read_text(), Loader=yaml.SafeLoader) is not None, path


def test_no_two_packaged_profiles_claim_a_device_with_equal_right() -> None:
    seen: dict[tuple[object, ...], str] = {}
    for candidate in candidates_of(read_folder(PACKAGED)):
        match = candidate.match
        claim = (candidate.prefix, match.sysdescr, match.not_sysdescr, match.probe, match.probe_matches)
        assert seen.setdefault(claim, candidate.profile) == candidate.profile, claim


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cpu:\n  - percnt: 1.3.6.1.4.1.9.1.1.1 x\n", "p.yaml:2: cpu.sources[0]: Object contains unknown"),
        ("cpu:\n  - percent: load\n", "p.yaml:2: cpu.sources[0]: 'load' is no column"),
        ("match:\n  - sysobjectid: [x.y]\n", "p.yaml:2: match[0].sysobjectid[0]: Expected `str` matching"),
        ("match:\n  - sysdescr: '('\n", "p.yaml:2: match[0]: '(' is no regular expression"),
        ("match: {sysdescr: x}\n", "p.yaml:1: match: Expected `array`"),
        ("match:\n  - sysobjectid: 1.3.6.1.4.1.9\n", "p.yaml:2: match[0].sysobjectid: Expected `array`"),
        ("extends: _cisco\n", "p.yaml:1: extends: Expected `array`"),
        ("cpu: []\ncpu: []\n", "p.yaml:2: cpu: given twice"),
        ("cpu: [\n", "p.yaml:2: no YAML"),
        ("- 1\n", "p.yaml:1: a profile is a mapping"),
        ("name: other\n", "p.yaml:1: name: the file's name is the profile's"),
        ("temperature:\n  - fahrenheit: true\n", "p.yaml:2: temperature.sources[0]: a source needs one of"),
        (
            "disk:\n  sources:\n    - used: 1.3.6.1.4.1.9.1 u\n      where: [{ column: index, any: 3 }]\n",
            "p.yaml:4: disk.sources[0].where[0].any: Expected `array`",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_profiles(write(tmp_path, p=text) / "p.yaml")
    assert str(error.value).startswith(complaint)


KNOWN = """
tap: { description: ACME taps, match: [{ sysdescr: ^Tap }], lacks: [cpu, disk], source: ACME-TAP-MIB }
hub: { description: ACME hubs, match: [{ sysobjectid: [1.3.6.1.4.1.99999.3] }] }
"""


def test_a_known_device_is_a_profile_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    found = book(write(tmp_path, **{"acme/known": KNOWN}))
    assert chosen(found, f"{ENTERPRISE}.3.1") == "hub"
    assert chosen(found, "", "Tap 7") == "tap"
    tap = found.load("tap")
    assert (tap.description, tap.lacks, tap.source) == ("ACME taps", ("cpu", "disk"), "ACME-TAP-MIB")
    assert not any(tap.section(name).sources for name in SECTIONS)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("tap: { description: x }", "tap: profile: Object missing required field `match`"),
        ("tap: { description: x, match: [] }", "tap: match: Expected `array` of length >= 1"),
        ("tap: { description: '', match: [{ sysdescr: x }] }", "tap: description: Expected `str` of length"),
        ("tap: { description: x, match: [{ sysdescr: x }], cpu: [] }", "tap: profile: Object contains unk"),
        ("tap: { description: x, match: [{ sysdescr: x }], lacks: [cpu] }", "tap: profile: lacks needs sour"),
        ("tap: { description: x, match: [{ sysdescr: x }], lacks: [fan] }", "tap: lacks[0]: Invalid enum"),
        ("tap: { description: x, match: [{ sysdescr: '(' }] }", "tap: match[0]: '(' is no regular"),
    ],
)
def test_what_is_wrong_with_a_known_device_is_told_with_its_line(
    tmp_path: Path, line: str, complaint: str
) -> None:
    (tmp_path / "acme").mkdir()
    with pytest.raises(ConfigurationError) as error:
        read_folder(write(tmp_path, **{"acme/known": f"# Taps.\n{line}\n"}))
    assert str(error.value).startswith(f"acme/known.yaml:2: {complaint}")


def test_a_known_device_and_a_profile_may_not_share_a_name(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    write(tmp_path, **{"acme/known": KNOWN, "hub": "match: [{sysdescr: x}]\n"})
    with pytest.raises(ConfigurationError, match=r"^acme/known.yaml: there is a profile 'hub' already$"):
        read_folder(tmp_path)


def test_each_packaged_line_of_known_yaml_names_what_says_so() -> None:
    files = list(PACKAGED.glob(f"*/{KNOWN_FILE}"))
    lines = {name: line for file in files for name, line in yaml.safe_load(file.read_text()).items()}
    assert len(lines) > 100
    assert [name for name, line in lines.items() if not line.get("source")] == []


def test_a_packaged_profile_that_says_nothing_of_its_own_is_a_line_of_known_yaml() -> None:
    for path in PACKAGED.rglob("*.yaml"):
        for name, given in read_profiles(path).items():
            says = given.own or given.profile.extends
            assert (path.name == KNOWN_FILE) != bool(says), f"{path.parent.name}: {name}"


def test_all_that_is_wrong_in_a_folder_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, a="cpu: 1\n", b="extends: [nowhere]\n", c="extends: [d]\n", d="extends: [c]\n")
    with pytest.raises(ConfigurationError) as error:
        read_folder(tmp_path)
    told = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in told] == ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]


def test_a_profile_is_found_in_its_vendors_folder(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    write(tmp_path, _common=f"cpu:\n  - percent: {ENTERPRISE}.1 load\n")
    write(tmp_path / "acme", switch="extends: [_common]\nmatch: [{sysdescr: x}]\n")
    assert read_folder(tmp_path)["switch"].section("cpu").sources[0].percent == f"{ENTERPRISE}.1 load"


def test_a_name_may_not_be_used_in_two_folders(tmp_path: Path) -> None:
    for vendor in ("acme", "zeta"):
        (tmp_path / vendor).mkdir()
        write(tmp_path / vendor, switch="match: [{sysdescr: x}]\n")
    with pytest.raises(ConfigurationError, match=r"^zeta/switch.yaml: there is a profile 'switch' already$"):
        read_folder(tmp_path)


def test_no_folder_of_the_package_holds_more_files_than_a_person_can_overlook() -> None:
    folders = Counter(path.parent for path in PACKAGED.rglob("*.yaml"))
    assert max(folders.values()) <= 60


def test_a_profile_inherits_each_section_it_does_not_give_from_the_first_parent_that_does(
    tmp_path: Path,
) -> None:
    own, first, second = (f"cpu:\n  - percent: {ENTERPRISE}.{n} n{n}\n" for n in (1, 2, 3))
    memory = f"memory:\n  - percent: {ENTERPRISE}.4 n4\n"
    folder = write(tmp_path, _a=first, _b=second + memory, c="extends: [_a, _b]\n", d=own + "extends: [c]\n")
    profiles = read_folder(folder)
    assert [profiles[name].section("cpu").sources[0].percent for name in "cd"] == [
        f"{ENTERPRISE}.2 n2",
        f"{ENTERPRISE}.1 n1",
    ]
    assert profiles["d"].section("memory").sources[0].percent == f"{ENTERPRISE}.4 n4"


def test_the_longest_prefix_wins_and_arcs_are_compared_whole(tmp_path: Path) -> None:
    found = book(
        write(
            tmp_path,
            vendor=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n",
            model=f"match: [{{sysobjectid: [{ENTERPRISE}.1]}}]\n",
        )
    )
    assert chosen(found, f"{ENTERPRISE}.1.5") == "model"
    assert chosen(found, f"{ENTERPRISE}.1") == "model"
    assert chosen(found, f"{ENTERPRISE}.15") == "vendor"
    assert chosen(found, "1.3.6.1.4.1.999991.1") == STANDARD


def test_conditions_decide_between_profiles_of_one_prefix(tmp_path: Path) -> None:
    found = book(
        write(
            tmp_path,
            plain=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n",
            described=f"match: [{{sysobjectid: [{ENTERPRISE}], sysdescr: Wireless}}]\n",
            excluded=f"match: [{{sysobjectid: [{ENTERPRISE}], sysdescr: Wire, not_sysdescr: less}}]\n",
            probed=f"match: [{{sysobjectid: [{ENTERPRISE}], probe: {ENTERPRISE}.7.0 m, probe_matches: X}}]\n",
        )
    )
    assert chosen(found, ENTERPRISE) == "plain"
    assert chosen(found, ENTERPRISE, "a WIRELESS thing") == "described"
    assert chosen(found, ENTERPRISE, "a wire") == "excluded"
    assert chosen(found, ENTERPRISE, "a wire", value="X200") == "probed"
    assert chosen(found, ENTERPRISE, "", value="Y200") == "plain"


def test_a_probe_may_be_any_object_a_row_of_a_table_as_well(tmp_path: Path) -> None:
    probed = f"match: [{{sysobjectid: [{ENTERPRISE}], probe: {ENTERPRISE}.7.1 m}}]\n"
    assert chosen(book(write(tmp_path, probed=probed)), ENTERPRISE, value="yes") == "probed"


def test_a_description_says_more_of_a_device_than_the_sysobjectid_of_its_agent(tmp_path: Path) -> None:
    agent = "1.3.6.1.4.1.8072.3.2.10"
    found = book(
        write(
            tmp_path,
            linux=f"match: [{{sysobjectid: [{agent}]}}]\n",
            appliance="match: [{sysdescr: ^ACME}]\n",
            exact=f"match: [{{sysobjectid: [{agent}], sysdescr: ^ACME 7}}]\n",
        )
    )
    assert chosen(found, agent, "Linux box 6.1") == "linux"
    assert chosen(found, agent, "ACME 3") == "appliance"
    assert chosen(found, agent, "ACME 7") == "exact"


def test_a_device_with_another_vendors_sysobjectid_is_known_by_its_sysdescr(tmp_path: Path) -> None:
    found = book(write(tmp_path, appliance="match: [{sysdescr: ^ACME appliance}]\n"))
    assert chosen(found, "1.3.6.1.4.1.8072.3.2.10", "ACME Appliance 3") == "appliance"
    assert chosen(found, "", "ACME Appliance 3") == "appliance"
    assert chosen(found, "1.3.6.1.4.1.8072.3.2.10", "Linux") == STANDARD


@pytest.mark.parametrize(
    ("sysobjectid", "branch"),
    [
        (f"{ENTERPRISE}.7", f"{ENTERPRISE}.7"),
        ("", "1.3.6.1.4.1.0"),
        ("1.3.6.1.4.1.09.evil", "1.3.6.1.4.1.0"),
    ],
)
def test_an_object_may_lie_in_the_devices_own_branch(tmp_path: Path, sysobjectid: str, branch: str) -> None:
    text = "match: [{sysdescr: x}]\ncpu:\n  - percent: '{sysObjectID}.1.54.0 cpuLoading30s'\n"
    found = book(write(tmp_path, modular=text))
    assert (
        found.load("modular", sysobjectid).section("cpu").sources[0].percent
        == f"{branch}.1.54.0 cpuLoading30s"
    )


def test_an_object_may_lie_in_the_branch_above_the_device(tmp_path: Path) -> None:
    text = (
        f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n"
        "cpu:\n  - percent: '{sysObjectID[:-1]}.1.39.2.1.0 cpuCurrentUti'\n"
    )
    found = book(write(tmp_path, family=text)).load("family", f"{ENTERPRISE}.10.45.105")
    assert found.section("cpu").sources[0].percent == f"{ENTERPRISE}.10.45.1.39.2.1.0 cpuCurrentUti"


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no profile 'none'; `netvitals profile list`"):
        book(write(tmp_path, a="match: [{sysdescr: x}]\n")).load("none")
    with pytest.raises(ConfigurationError, match="there is no profile"):
        ProfileBook(tmp_path / "index").load("../../a\0")


@pytest.mark.parametrize(
    "name", ["x" * 300, "ö" * 200, f"../match/{match_file_of(ENTERPRISE)}", "sub/a", ".a", "", "a\n"]
)
def test_what_can_not_be_the_name_of_a_profile_is_none(tmp_path: Path, name: str) -> None:
    profiles = book(write(tmp_path, a=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n"))
    with pytest.raises(ConfigurationError, match="there is no profile") as caught:
        profiles.load(name)
    assert len(str(caught.value)) < 250


def test_the_index_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    write(tmp_path, a=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n")
    refresh_index(tmp_path, tmp_path / "index")
    built = (tmp_path / "index").stat().st_mtime_ns
    refresh_index(tmp_path, tmp_path / "index")
    assert (tmp_path / "index").stat().st_mtime_ns == built
    write(tmp_path, b=f"match: [{{sysobjectid: [{ENTERPRISE}.1]}}]\n")
    refresh_index(tmp_path, tmp_path / "index")
    assert chosen(ProfileBook(tmp_path / "index"), f"{ENTERPRISE}.1") == "b"
    (tmp_path / "b.yaml").rename(tmp_path / "acme" / "b.yaml")
    refresh_index(tmp_path, tmp_path / "index")
    assert chosen(ProfileBook(tmp_path / "index"), f"{ENTERPRISE}.1") == "b"
    (tmp_path / "acme" / "b.yaml").unlink()
    refresh_index(tmp_path, tmp_path / "index")
    assert chosen(ProfileBook(tmp_path / "index"), f"{ENTERPRISE}.1") == "a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "acme", "index"]


def test_an_index_lies_in_the_users_cache_and_never_where_the_profiles_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    write(folder, a=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert index_of(folder) == index_of(folder)
    assert chosen(ProfileBook(index_of(folder)), ENTERPRISE) == "a"
    assert [path.name for path in folder.iterdir()] == ["a.yaml"]
    assert index_of(folder).is_relative_to(tmp_path / "cache")


def test_without_a_cache_the_index_is_of_this_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a.yaml"))
    assert chosen(ProfileBook(index_of(tmp_path)), ENTERPRISE) == "a"


def test_two_processes_that_build_an_index_at_once_leave_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a=f"match: [{{sysobjectid: [{ENTERPRISE}]}}]\n")
    profiles, index, replace = read_folder(tmp_path), tmp_path / "index", Path.replace
    others = iter([True])

    def overtaken(self: Path, target: Path) -> Path:
        if target == index and next(others, False):
            write_index(profiles, index)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", overtaken)
    write_index(profiles, index)
    assert chosen(ProfileBook(index), ENTERPRISE) == "a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "index"]


def test_an_indexed_profile_is_the_one_that_was_written() -> None:
    profiles = read_folder(PACKAGED)
    found = packaged_profiles()
    for name in ("_standard", "cisco", "junos"):
        assert found.load(name).section("cpu") == profiles[name].section("cpu")
        assert found.load(name).section("temperature") == profiles[name].section("temperature")
