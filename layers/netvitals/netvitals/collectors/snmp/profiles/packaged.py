"""Find the profiles of this installation, and those of a folder that is tried in addition."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from netvitals.collectors.snmp.profiles.index import ProfileBook

PACKAGED = Path(__file__).resolve().parents[3] / "profiles"
_tried: list[ProfileBook] = []


def packaged_profiles() -> ProfileBook:
    """Return the packaged profiles, or those that are being tried."""
    return _tried[-1] if _tried else _packaged()


@lru_cache(maxsize=1)
def _packaged() -> ProfileBook:
    return ProfileBook(packaged_index())


@lru_cache(maxsize=1)
def packaged_index() -> Path:
    """Return the index of the packaged profiles, brought up to date where they are YAML.

    That is everywhere but in what is deployed.
    """
    if any(PACKAGED.glob("*.yaml")):
        from netvitals.collectors.snmp.profiles.build_index import index_of  # noqa: PLC0415, YAML only here

        return index_of(PACKAGED)
    return PACKAGED / "index"


@contextmanager
def tried_profiles(folder: Path) -> Iterator[None]:
    """Have `packaged_profiles` return those of a folder as well: one of the same name replaces the package's.

    Raises:
        ConfigurationError: what is wrong with a file, or the package has no YAML files to read beside it.
    """
    from netvitals.collectors.snmp.profiles.build_index import write_index  # noqa: PLC0415, YAML only here
    from netvitals.collectors.snmp.profiles.files import read_file, read_folder  # noqa: PLC0415, as above

    own = {
        name: each
        for path in sorted(folder.rglob("*.yaml"))
        for name, each in read_file(path, PACKAGED).items()
    }
    with tempfile.TemporaryDirectory(prefix="netvitals-profiles-") as temporary:
        index = Path(temporary, "index")
        write_index({**read_folder(PACKAGED), **own}, index)
        _tried.append(ProfileBook(index))
        try:
            yield
        finally:
            _tried.pop()
