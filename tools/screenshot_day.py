"""Take the picture of a past instant in the docs: `python -m tools.screenshot_day [DIRECTORY] [LANGUAGE]`.

A demo lasts a minute and has no day to look back on, so a day is written into a record first: a wave at noon while a
site has lost a line and then its mains, and half an hour without a word from the chat platform.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from msgspec.structs import replace

from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    back,
    clock,
    closed,
    contract,
    customer,
    declared,
    ms,
    published,
    signed,
    silent,
    works,
)
from tests.dashboards.day_world import MINUTE, incident
from tests.dashboards.screens import chromium, looking
from tests.integration.running import server
from tests.sla_engine.feeding import Feed
from wire.incident import Cause

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1600, 900)
SHOT_BYTES_MAX = 300_000
AT = "2026-11-02T12:20"
OPENS, ENDS = "08:00", "20:00"
PEAK = (ms("11:45"), ms("12:45"))
HOLE = (ms("16:00"), ms("16:30"))
QUEUES = {"acme": ("presale", "aftersale"), "orchid": ("orders",)}
SITE = "site1"
CONFIG = """
[server]
port = 0
[mqtt]
port = 0
[[client]]
id = "acme"
name = "Acme"
[[client.queue]]
id = "presale"
[[client.queue]]
id = "aftersale"
[[client]]
id = "orchid"
name = "Orchid"
[[client.queue]]
id = "orders"
[[site]]
id = "site1"
seats = 8
"""


def conversations(client: str, random: Random) -> Iterator[Event]:
    """A day of one client: more at noon, and then later answered."""
    at, number = ms(OPENS), 0
    while at < ms(ENDS):
        is_peak = PEAK[0] <= at < PEAK[1]
        at += round(random.expovariate(1 / (14_000 if is_peak else 32_000)))
        if HOLE[0] <= at < HOLE[1]:
            continue
        number += 1
        name, account = f"{client}-{number}", f"{client}-{number % 4}"
        wait = round(random.lognormvariate(8.75 if is_peak else 8.5, 0.42 if is_peak else 0.25))
        yield customer(at, name, random.choice(QUEUES[client]))
        yield assigned(at + wait // 3, account, name)
        yield agent(at + wait, account, name)
        yield closed(at + wait + 2 * MINUTE, name)


def day_of(client: str, random: Random) -> Iterator[Event]:
    """The ledger of one client."""
    yield declared("00:10")
    yield published()
    yield signed(replace(contract(PRESET.name), attainment_target_bp=9_000))
    for seat in range(4):
        yield from works(f"{client}-{seat}", f"{client}-p{seat}", "team-1", f"{client}-s{seat}", SITE)
    yield from conversations(client, random)
    yield silent(HOLE[0] + MINUTE)
    yield back(HOLE[1])
    for at in range(ms(OPENS), ms(ENDS) + MINUTE, MINUTE):
        yield clock(at)


def record(data: Path) -> None:
    """Write the day."""
    random = Random(5)  # noqa: S311 - the same picture every time
    told = {data / "clients" / client: [*day_of(client, random)] for client in QUEUES}
    told[data / "operator"] = [
        clock(OPENS),
        incident("i-line", "line_down", Cause.UPLINK, "11:52", "12:50", SITE),
        incident("i-power", "mains_lost", Cause.SITE_POWER, "12:10", "12:31", SITE),
        clock(ENDS),
    ]
    for directory, events in told.items():
        ledger = Feed(directory)
        ledger.append(events)
        ledger.close()


def main() -> int:
    """Write the picture and say how large it is."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    language = sys.argv[2] if len(sys.argv) > 2 else "en"
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / "wallboard-past.png"
    with tempfile.TemporaryDirectory() as made:
        record(Path(made) / "data")
        with server(Path(made), CONFIG) as (_, runtime), chromium() as browser:
            address = f"{runtime.url}/?lang={language}&at={AT}"
            with looking(browser, address, SIZE, reduced_motion="reduce") as page:
                page.set_default_timeout(60_000)
                page.wait_for_selector("body[data-state=past]")
                page.wait_for_selector("day-curve canvas")
                page.wait_for_selector("day-curve .day-word")
                page.screenshot(path=target)
    size = target.stat().st_size
    sys.stdout.write(f"{target}: {size} bytes\n")
    return 0 if size <= SHOT_BYTES_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
