"""Define the settings of the status decision."""

from typing import Annotated

from msgspec import Meta

from netvitals.domain.settings.section import Section


class StatusSettings(Section, frozen=True):
    """Settings of the status decision, the same for all devices."""

    site_lost_fraction: Annotated[float, Meta(gt=0.5, le=1)] = 0.9
    """Share of a site's devices that fail together from which on the path to the site is lost."""
    site_minimum_devices: Annotated[int, Meta(ge=2)] = 3
    """Least number of a site's devices that fail together before the path to the site is lost."""
    site_marks_offline: bool = False
    """True makes devices behind a lost path `offline` instead of `unknown`; the event stays the site's."""
    flap_threshold: Annotated[float, Meta(ge=1)] = 3.0
    """Flapping score from which on a device's outages are not announced: each change between online and
    offline scores 1."""
    flap_half_life_seconds: Annotated[float, Meta(gt=0)] = 900.0
    """Time in which a device's flapping score decays by half."""
    silence_seconds: Annotated[float, Meta(ge=60)] = 300.0
    """Time without a poll of any device that is the collector's silence. No run of this function for as long
    (or a clock that went back) is a gap: silence of devices within it does not count."""
    heartbeat_seconds: Annotated[int, Meta(ge=30, le=86400)] = 300
    """Time between two points of each device's status in InfluxDB while it does not change."""
