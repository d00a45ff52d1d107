"""Find devices of an inventory that are reached at one address and port."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from netvitals.domain.inventory.check import Placed
from netvitals.domain.settings.configuration import Configuration
from netvitals.domain.text import printable
from netvitals.usecases.slots import endpoint

_NAMED = 3


def sharing_an_address(rows: Sequence[Placed], configuration: Configuration) -> Iterator[str]:
    """Yield a line for each address and port at which several enabled devices are reached.

    The rows are valid. Devices behind one address have different ports; devices with one address and port are
    polled one after another, and are mostly one device with two rows.
    """
    found: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for _, device in rows:
        if device.enabled:
            settings = configuration.policy(device.device_type, device.settings).poll_settings()
            found[endpoint(device.ip_address or device.hostname, settings)].append(device.id)
    for (address, *_), devices in found.items():
        if len(devices) > 1:
            named = ", ".join(printable(each) for each in devices[:_NAMED])
            more = f" and {len(devices) - _NAMED:,} more" if len(devices) > _NAMED else ""
            place = printable(str(address))
            yield (
                f"{named}{more} have one address and port ({place}), so they are polled one after another: "
                "are they one device?"
            )
