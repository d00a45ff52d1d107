"""Define which vital signs are collected: a key for each row of the table of them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from netvitals.domain.polling.metrics import VITALS
from netvitals.domain.settings.section import Section, extended


def _with_a_key_for_each[S: Section](settings: type[S]) -> type[S]:
    return extended(
        settings,
        (
            (name, Annotated[bool, Meta(description=_meaning(name))], vital.collected)
            for name, vital in VITALS.items()
        ),
    )


def _meaning(name: str) -> str:
    metrics = [f"`{metric}`" for metric, _ in VITALS[name].metrics()]
    return f"True where {', '.join(metrics)} {'are' if len(metrics) > 1 else 'is'} collected."


@_with_a_key_for_each
class VitalSettings(Section, frozen=True):
    """Selection of vital signs to collect, whatever the protocol."""

    def collected(self) -> list[str]:
        """Return the names of the vital signs that are collected, as device profiles have them."""
        return [name for name in VITALS if getattr(self, name)]

    def left_out(self) -> frozenset[str]:
        """Return the metrics of vital signs that are collected by default, and are switched off here."""
        return frozenset(
            metric
            for name, vital in VITALS.items()
            if vital.collected and not getattr(self, name)
            for metric, _ in vital.metrics()
        )


EVERY_VITAL_SIGN = msgspec.convert(dict.fromkeys(VITALS, True), VitalSettings)
