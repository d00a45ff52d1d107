"""Explain why a device gave less than was asked, and what to do about it."""

from netvitals.collectors.registry import command_lines
from netvitals.domain.polling.observation import PollResult, Reason

REMEDIES = {
    Reason.TIMEOUT: "check that the service runs, its port, its access list and the credential",
    Reason.REFUSED: "nothing listens on that port: start the service or correct the port",
    Reason.UNREACHABLE: "check power, cable and the route to it",
    Reason.AUTH: "correct the credential, or the rights of its user on the device",
    Reason.UNSUPPORTED: "set other protocols for this device or its type",
    Reason.PROTOCOL: "the device breaks the protocol: try another version or profile",
    Reason.PARTIAL: "raise the device's time limit, or leave out what it is slow at",
    Reason.BAD_ADDRESS: "correct the address, or allow its network",
    Reason.BAD_CREDENTIAL: "add the credential to the credential map",
    Reason.HOST_KEY: "compare the host key with the device and pin the right one",
    Reason.INTERNAL: "report this with what --verbose shows",
}
"""Remedy by reason, used where a result's detail has none."""


def is_asked(result: PollResult) -> bool:
    """Return whether anything was sent to the device."""
    return any(point.metric_name == "ping_status" for point in result.points)


def remark(result: PollResult) -> str:
    """Return why a device gave less than was asked, and what to do about it; empty where it gave all."""
    if result.reason is Reason.OK:
        return result.detail
    return f"{result.reason}: {result.detail or REMEDIES[result.reason]}"


def in_options(told: str) -> str:
    """Return a remark on a device that was named by its address, with the options for the settings in it."""
    flags = {"port": "--port"}
    named = []
    for protocol, line in command_lines().items():
        set_by = flags | {option.sets: option.flag for option in line.options if option.sets}
        named += [flag for key, flag in set_by.items() if f"`{protocol}.{key}`" in told]
        named += [each.flag for each in line.options if each.is_of_credential and f"`{each.name}`" in told]
    if "--host-key" in named:
        named.append("--trust-host-key to try it")
    return f"{told}; here: {', or '.join(named)}" if named else told
