"""Take README's picture of the page: `make picture`, which runs the demo for a while and needs Chromium."""

import sys
import tempfile
import time
from pathlib import Path

from local.chromium import Page, chromium, installed_chromium
from local.demo.environment import ROOT, environment
from local.demo.page import page_of
from local.demo.scenario import Scenario
from local.demo.ui import Screen

PICTURE = ROOT / "docs" / "page.png"
SECONDS = 150
WIDTH, HEIGHT = 1280, 620
_DRAWN = "document.querySelectorAll('.ag-center-cols-container .ag-row').length >= 13"


def main() -> int:
    if not installed_chromium():
        print("needs Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    with environment(metrics_seconds=10) as built, page_of(built) as url:
        Scenario(built, Screen()).watch(SECONDS)
        with (
            tempfile.TemporaryDirectory() as folder,
            chromium(Path(folder)) as browser,
            browser.page() as page,
        ):
            _take(page, url)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} KB")
    return 0


def _take(page: Page, url: str) -> None:
    page.show_as(WIDTH, HEIGHT)
    page.open(url)
    page.until(_DRAWN)
    time.sleep(3)  # sparklines are drawn after the rows
    page.screenshot(PICTURE)


if __name__ == "__main__":
    sys.exit(main())
