"""What the coverage-guided fuzzers share: the run itself, and what must be true of any reading.

Import it after the modules that are to be instrumented: it imports some of them.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import atheris
import msgspec

from netvitals.domain.polling.instances import admitted
from netvitals.domain.polling.observation import Reading
from netvitals.usecases.turns import at_once

CPU_SECONDS = 2.0
"""For one input, instrumented; most take a thousandth."""


def fuzz(
    checks: Sequence[Callable[[bytes], None]],
    seeds: Iterable[bytes],
    minutes: float,
    *options: str,
    words: Iterable[str] = (),
    **setup: Any,
) -> int:
    """Give the checks changed seeds for so long; return 0.

    `options` are libFuzzer's, `words` its dictionary. It ends the process with another code than 0 where a
    check raises, or all of them together take more than their processor time.
    """

    def one_input(data: bytes) -> None:
        began = time.thread_time()
        for check in checks:
            check(data)
        assert time.thread_time() - began < CPU_SECONDS

    with tempfile.TemporaryDirectory() as folder:
        corpus, dictionary = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        dictionary.write_text("\n".join(["# words", *(f'"{word}"' for word in words), ""]))
        limits = [f"-max_total_time={max(1, int(minutes * 60))}", f"-dict={dictionary}", *options]
        program = [sys.argv[0], str(corpus), f"-artifact_prefix={folder}/", *limits]
        atheris.Setup(program, one_input, **setup)
        atheris.Fuzz()
    return 0


def check_reading(reading: Reading, protocol: str, memory: type) -> None:
    """Every point can be stored, what is remembered can be read again, what is told can be shown."""
    for point in at_once(admitted(reading.points, None, 0)).points:
        assert point.instance.isprintable()
        assert -1e300 < point.value < 1e300
    kept = msgspec.json.decode(msgspec.json.encode(reading.memory))
    msgspec.convert(kept[protocol], memory)
    assert reading.detail.isprintable()
