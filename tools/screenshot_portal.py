"""Take the pictures of the portal in docs: `.venv/bin/python -m tools.screenshot_portal [DIRECTORY]`.

They are the real pages of a real server in Debian's Chromium, over a fortnight that is made up, always the same: a
client's conversations, and the site its people sit at, which loses a line one morning and its mains that afternoon.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.builders import Event, agent, assigned, clock, closed, customer, left, ms, rules
from tests.builders import declared as chat_declared
from tests.dashboards.screens import chromium
from tests.integration.running import server
from tests.seatwatch.portal.sites import (
    GATE,
    MINUTE,
    Befell,
    beat,
    declared,
    operator_of,
    readings,
    silence,
    sits,
)
from tests.seatwatch.portal.worlds import PASSWORD, accounts, client_of
from tests.tidy.source import ROOT

DAYS = 14
SEATS = tuple(f"north/seat-{number:02}" for number in range(1, 13))
OPENS, CLOSES = 8 * 60, 24 * 60
BEFELL = Befell(line_down=(ms("10:12"), ms("10:47")), battery=(ms("15:03"), ms("15:31")), drop=2)
SURGE = range(19 * 60, 21 * 60)
WIDTH = 1440
SHOT_BYTES_MAX = 300_000
CONFIG = """
[server]
port = 0
[mqtt]
port = 0
[[client]]
id = "acme"
name = "Acme Outdoor"
[[client.queue]]
id = "presale"
name = "Pre-sale"
[[client.queue]]
id = "aftersale"
name = "After-sale"
[[site]]
id = "north"
name = "North"
seats = 12
"""
PAGES = {
    "portal-service.png": ("service?from=2026-10-27&to=2026-11-02&lang=en", 1880),
    "portal-site.png": ("site?site=north&until=2026-11-02T23:30&lang=en", 1400),
}


def conversations(rng: Random) -> Iterator[Event]:
    """A fortnight of one client; busy evenings are slow, and nobody answers while the site has no line or no mains."""
    number = 0
    for day in range(1 - DAYS, 1):
        minute = OPENS
        while minute < CLOSES - 10:
            busy = minute in SURGE
            minute += rng.randint(1, 4 if busy else 12)
            at = ms(f"{day} {minute // 60}:{minute % 60:02}:{rng.randrange(60):02}")
            number += 1
            name, queue = f"c{number:05}", "aftersale" if rng.random() < 0.3 else "presale"
            account = f"acme:{rng.choice(SEATS)}"
            cut = day == 0 and any(since <= at < until for since, until in (BEFELL.line_down, BEFELL.battery))
            wait = round(rng.lognormvariate(2.05 if busy else 1.55, 0.45) * 1_000) + (90_000 if cut else 0)
            yield customer(at, name, queue)
            if rng.random() < 0.02:
                yield left(at + 40_000, name)
                continue
            yield assigned(at + 1_000, account, name)
            yield agent(at + wait, account, name)
            yield closed(at + wait + rng.randint(120, 600) * 1_000, name)


def site() -> Iterator[Event]:
    """The last day of the site: twelve seats in one shift, two lines, a UPS and a trunk."""
    for source in (GATE, *SEATS):
        yield declared(source, "north")
    for seat in SEATS:
        yield from sits(seat, "acme", shift=("08:00", "23:30"))
    for at in range(ms("-1 23:30"), ms("23:59"), MINUTE):
        yield clock(at)
        yield from readings(at, at, BEFELL)
        if ms("07:55") <= at < ms("23:30"):
            yield from (beat(seat, at, at, seat) for seat in SEATS)
    yield from (silence(seat, ms("23:29"), ms("23:31")) for seat in SEATS)


def client() -> Iterator[Event]:
    """What the client's own ledger holds: rules, who sits where, conversations, and on the last day every minute."""
    yield from (*rules(), chat_declared("-20 00:00"))
    for seat in SEATS:
        yield from sits(seat, "acme", shift=("08:00", "23:30"))
    yield from conversations(Random(7))  # noqa: S311 - made up, the same every time
    yield from (clock(at) for at in range(ms("-1 23:30"), ms("23:59"), MINUTE))


def shoot(browser: Browser, base: str, target: Path) -> Iterator[Path]:
    """Every picture, each of a browser that has just signed in."""
    for name, (path, height) in PAGES.items():
        context = browser.new_context(viewport={"width": WIDTH, "height": height})
        page = context.new_page()
        page.goto(f"{base}/sign-in?lang=en")
        page.fill("[name=name]", "client")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.goto(f"{base}/{path}")
        page.locator("figure svg").first.wait_for()  # a page that takes long says so first
        page.screenshot(path=target / name)
        context.close()
        yield target / name


def main() -> int:
    """Write the pictures and say how large they are."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    too_large = False
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        data = directory / "data"
        client_of(data, "acme", client())
        operator_of(data, list(site()))
        accounts(data)
        with server(directory, CONFIG) as (_, runtime), chromium() as browser:
            for picture in shoot(browser, f"{runtime.url}/portal", target):
                size = picture.stat().st_size
                too_large |= size > SHOT_BYTES_MAX
                sys.stdout.write(f"{picture}: {size} bytes\n")
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
