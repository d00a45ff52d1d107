"""Make what dashboards share about interfaces: graphs of a pair of counters, colours of states."""

from collections.abc import Callable
from typing import Any

from netvitals.cli.grafana.panels import HELD_GAP_MS, Json, graph, influx
from netvitals.cli.grafana.shown import shape
from netvitals.domain.polling.metrics import OPER_STATUS

WAYS = (("in", "A"), ("out", "B"))
"""Directions of traffic, each with the letter of its query."""
_COLORS = {"up": "green", "down": "red"}


def in_and_out(
    title: str,
    counter: str,
    query: Callable[[str], str],
    size: tuple[int, int],
    *,
    label: str = "",
    remark: str = "",
    **more: Any,
) -> Json:
    """Return the graph of a counter's two directions: in above, out below zero.

    `counter` is the name of the metrics without `_in` and `_out`; `query` returns the query of one of them.
    """
    targets = [
        influx(query(f"{counter}_{way}"), ref=ref, alias=f"{label} {way}".strip()) for way, ref in WAYS
    ]
    return graph(
        title,
        targets,
        size,
        shape(f"{counter}_in"),
        mirrored="B",
        gap_ms=HELD_GAP_MS,
        description=f"In above, out below zero.{remark}",
        **more,
    )


def oper_mappings() -> list[Json]:
    """Return the value mappings of `net_oper_status`, with colours."""
    states = {
        str(number): {"text": state, "color": _COLORS.get(state, "orange"), "index": number}
        for number, state in OPER_STATUS.items()
    }
    return [{"type": "value", "options": states}]
