"""Find the profiles that this installation brings."""

from functools import lru_cache
from pathlib import Path

from netvitals.collectors.snmp.profiles.index import ProfileBook

PACKAGED = Path(__file__).resolve().parents[3] / "profiles"


@lru_cache(maxsize=1)
def packaged_profiles() -> ProfileBook:
    """Return the packaged profiles; in a checkout, which has YAML, bring their index up to date first."""
    if any(PACKAGED.glob("*.yaml")):
        from netvitals.collectors.snmp.profiles.build_index import refresh_index  # noqa: PLC0415, YAML only here

        refresh_index(PACKAGED)
    return ProfileBook(PACKAGED / "index")
