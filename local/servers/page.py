"""`netvitals ui` in a process of its own."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.servers.process import running


@contextmanager
def page_served(variables: Mapping[str, str], folder: Path, *arguments: str) -> Iterator[str]:
    """Run it in this new folder on a free port, and yield the URL that it prints."""
    folder.mkdir()
    command = [sys.executable, "-m", "netvitals", "ui", "--port", "0", *arguments]

    def printed() -> re.Match[str] | None:
        return re.search(r"^http://\S+:\d+$", (folder / "log").read_text(), re.MULTILINE)

    with running(command, folder, lambda: printed() is not None, environment=variables):
        found = printed()
        yield found[0] if found else ""
