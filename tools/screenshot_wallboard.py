#!/usr/bin/env python3
"""Take the picture of the wallboard in the README: `.venv/bin/python tools/screenshot_wallboard.py [FILE] [LANGUAGE]`.

It is the real page in Debian's Chromium, in front of a real server that shows a made-up floor.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.dashboards.demo_board import demo_board  # noqa: E402 - the repository is not installed
from tests.dashboards.screens import chromium, looking, wall  # noqa: E402 - likewise

SIZE = (1600, 900)
SHOT_BYTES_MAX = 300_000


def main() -> int:
    """Write the picture and say how large it is."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "wallboard.png"
    language = sys.argv[2] if len(sys.argv) > 2 else "en"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, wall(Path(folder)) as own:
        own.show(demo_board())
        with looking(browser, f"{own.base}/?lang={language}", SIZE, reduced_motion="reduce") as page:
            page.wait_for_selector("body[data-state=live] #rows .row[data-rank='0']")
            page.screenshot(path=target)
    size = target.stat().st_size
    sys.stdout.write(f"{target}: {size} bytes\n")
    return 0 if size <= SHOT_BYTES_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
