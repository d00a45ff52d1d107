"""Define the settings of the status decision."""

from typing import Annotated

from msgspec import Meta

from netvitals.domain.settings.section import Section


class StatusSettings(Section, frozen=True):
    """Holds what applies to all devices when their status is decided."""

    site_lost_fraction: Annotated[float, Meta(gt=0.5, le=1)] = 0.9
    """A site of whose devices at least this share fail together has lost its path …"""
    site_minimum_devices: Annotated[int, Meta(ge=2)] = 3
    """… if they are at least so many."""
    site_marks_offline: bool = False
    """Whether devices behind a lost path are `offline` instead of `unknown`; the event stays the site's."""
    flap_threshold: Annotated[float, Meta(ge=1)] = 3.0
    """Every change between online and offline scores 1; from this score on outages are not announced …"""
    flap_half_life_seconds: Annotated[float, Meta(gt=0)] = 900.0
    """… until it has decayed, by half in so many seconds."""
    silence_seconds: Annotated[float, Meta(ge=60)] = 300.0
    """No poll of any device for so long is the collector's silence, and no run of this function for so
    long (or a clock that went back) is a gap: nothing that seems to have happened in it counts."""
    heartbeat_seconds: Annotated[int, Meta(ge=30, le=86400)] = 300
    """Each device's status is written to InfluxDB this often, changed or not."""
