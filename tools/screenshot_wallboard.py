#!/usr/bin/env python3
"""Take the pictures in README and docs: `.venv/bin/python tools/screenshot_wallboard.py [DIRECTORY] [LANGUAGE]`.

They are the real pages in Debian's Chromium while `seatwatch demo` runs: one site has lost its line, another its mains.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.dashboards.screens import chromium, live, looking  # noqa: E402 - the repository is not installed

SIZE = (1600, 900)
SHOT_BYTES_MAX = 300_000
DEMO = ("demo", "--for", "60s", "--seed", "1", "--port", "0")
BESIDE = ("team/site2-team-1", "map")
MOMENT = re.compile(r"(isolated|silent).*on battery")


@contextmanager
def demo() -> Iterator[Iterator[str]]:
    """The lines of a running demo, which ends with the block."""
    command = [sys.executable, "-m", "seatwatch", *DEMO]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own
        if running.stdout is None:
            raise RuntimeError("the demo has no output")
        try:
            yield iter(running.stdout)
        finally:
            running.send_signal(signal.SIGINT)
            running.stdout.read()


def first(lines: Iterator[str], wanted: re.Pattern[str]) -> str:
    """What `wanted` finds first. Raises RuntimeError if the demo ends before."""
    for line in lines:
        found = wanted.search(line)
        if found:
            return found[0]
    raise RuntimeError(f"the demo ended before it said {wanted.pattern}")


def main() -> int:
    """Write the pictures and say how large they are."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    language = sys.argv[2] if len(sys.argv) > 2 else "en"
    directory.mkdir(parents=True, exist_ok=True)
    targets = [directory / f"{name}.png" for name in ("wallboard", "team", "seat-map")]
    with demo() as lines, chromium() as browser:
        address = first(lines, re.compile(r"http://\S+/"))
        with looking(browser, f"{address}?lang={language}", SIZE, reduced_motion="reduce") as page:
            first(lines, MOMENT)
            live(page).wait_for_selector("#rows .row[data-rank='0']")
            page.screenshot(path=targets[0])
            for target, path, seen in zip(targets[1:], BESIDE, ("#list .person", ".seat"), strict=True):
                page.goto(f"{address}{path}?lang={language}")
                live(page).wait_for_selector(seen)
                page.screenshot(path=target)
    sizes = [target.stat().st_size for target in targets]
    sys.stdout.writelines(f"{target}: {size} bytes\n" for target, size in zip(targets, sizes, strict=True))
    return 0 if max(sizes) <= SHOT_BYTES_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
