"""Limit warnings about rows: a thousand rows with one problem are three lines and a count."""

from collections import Counter
from logging import Logger

MAX_EXAMPLES = 3
MAX_PROBLEMS = 100


class RateLimitedWarnings:
    """Logs the first examples of each problem, and when closed how many more there were."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._counts: Counter[str] = Counter()
        self._others = 0

    def add(self, text: str, problem: str) -> None:
        """Log `text`, unless `problem`, what it has in common with other rows, was logged often enough."""
        if problem not in self._counts and len(self._counts) >= MAX_PROBLEMS:
            self._others += 1
            return
        self._counts[problem] += 1
        if self._counts[problem] <= MAX_EXAMPLES:
            self._logger.warning("%s", text)

    def close(self) -> None:
        """Log how many warnings of each problem were left out."""
        for problem, count in self._counts.items():
            if count > MAX_EXAMPLES:
                self._logger.warning("%d more with the problem: %s", count - MAX_EXAMPLES, problem)
        if self._others:
            self._logger.warning("%d more with other problems", self._others)


def problem_of(text: str) -> str:
    """Return the text without the address that it starts with, if it does."""
    first, _, rest = text.partition(" ")
    return rest if any(character.isdigit() for character in first) else text
