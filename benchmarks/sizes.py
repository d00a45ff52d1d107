"""How large a benchmark is: as in docs/measured.md, or tiny with `--quick`, which shows that it runs."""

import sys

QUICK = "--quick" in sys.argv


def given(usual: tuple[int, ...], quick: int) -> tuple[int, ...]:
    """Return the numbers of the command line, or the usual ones, or the quick one."""
    numbers = tuple(int(word) for word in sys.argv[1:] if word.isdigit())
    return numbers or ((quick,) if QUICK else usual)
