"""Reports of what is wrong, bounded: a thousand rows with one problem are one line and a count."""

from collections import Counter
from collections.abc import Callable

MAX_EXAMPLES = 3
MAX_PROBLEMS = 100


class Complaints:
    """Passes on the first examples of each problem, and when closed how many more there were."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._counts: Counter[str] = Counter()
        self._others = 0

    def add(self, text: str, problem: str) -> None:
        """`text` says all, `problem` what it has in common with other rows."""
        if problem not in self._counts and len(self._counts) >= MAX_PROBLEMS:
            self._others += 1
            return
        self._counts[problem] += 1
        if self._counts[problem] <= MAX_EXAMPLES:
            self._say(text)

    def close(self) -> None:
        for problem, count in self._counts.items():
            if count > MAX_EXAMPLES:
                self._say(f"{count - MAX_EXAMPLES} more with the problem: {problem}")
        if self._others:
            self._say(f"{self._others} more with other problems")


def problem_of(text: str) -> str:
    """A text without the address that it starts with, if it does."""
    first, _, rest = text.partition(" ")
    return rest if any(character.isdigit() for character in first) else text
