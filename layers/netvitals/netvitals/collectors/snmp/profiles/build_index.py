"""Write the index that `index` reads, from the profiles' files."""

import atexit
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from netvitals.collectors.snmp.profiles.files import read_folder
from netvitals.collectors.snmp.profiles.index import Candidate, match_file_of
from netvitals.collectors.snmp.profiles.schema import Profile

_STAMPS = "files.json"
"""File in an index: the times of change of the files that it was built of, by their paths."""


def candidates_of(profiles: Mapping[str, Profile]) -> Iterator[Candidate]:
    for profile in profiles.values():
        for match in profile.match:
            for prefix in match.sysobjectid:
                yield Candidate(profile.name, prefix, msgspec.structs.replace(match, sysobjectid=(prefix,)))


def write_index(
    profiles: Mapping[str, Profile], index: Path, stamps: Mapping[str, int] | None = None
) -> None:
    """Replace the index in one step, so that no process reads half of it.

    `stamps` is kept for `refresh_index`.
    """
    index.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".index-", dir=index.parent))
    (fresh / "match").mkdir()
    (fresh / "profiles").mkdir()
    files: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates_of(profiles):
        files[match_file_of(candidate.prefix + ".") if candidate.prefix else "any"].append(candidate)
    for file, candidates in files.items():
        (fresh / "match" / f"{file}.json").write_bytes(msgspec.json.encode(candidates))
    for profile in profiles.values():
        bare = msgspec.structs.replace(profile, match=(), example=())
        (fresh / "profiles" / f"{profile.name}.json").write_bytes(msgspec.json.encode(bare))
    if stamps is not None:
        (fresh / _STAMPS).write_bytes(msgspec.json.encode(stamps))
    fresh.chmod(0o755)
    stale = Path(tempfile.mkdtemp(prefix=".index-old-", dir=index.parent))
    with suppress(FileNotFoundError):  # there is none yet, or another process replaces it as well
        index.replace(stale / "index")
    with suppress(OSError):  # the other was first, with the same
        fresh.replace(index)
    for each in (stale, fresh):
        shutil.rmtree(each, ignore_errors=True)


def index_of(folder: Path) -> Path:
    """Return the up-to-date index of a folder of profiles, which lies in the user's cache.

    Not in the folder: `sam build` copies that one, while another process may replace the index. Where there
    is no cache that can be written to, the index lives as long as this process.
    """
    index = _cache_of(folder) / "index"
    refresh_index(folder, index)
    return index


def _cache_of(folder: Path) -> Path:
    name = f"profiles-{sha256(str(folder).encode()).hexdigest()[:16]}"
    with suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        cache = Path(caches, "netvitals", name)
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    temporary = tempfile.mkdtemp(prefix="netvitals-profiles-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def refresh_index(folder: Path, index: Path) -> None:
    """Build the index of a folder where a file was changed, added or removed since."""
    stamps = {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*.yaml")}
    if _stamps_of(index) != stamps:
        write_index(read_folder(folder), index, stamps)


def _stamps_of(index: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode((index / _STAMPS).read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
