"""The server under measurement: `seatwatch up` as a child over a fresh record, and what is read of it from outside."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from bench.running_floor import LIMIT_MS, PEOPLE, WARNING_MS, head, source_names, token_of
from bench.running_screen import mark_names
from collector.ledgers import ledger_directory
from ledger.entry import NewEntry
from ledger.segment import LedgerSettings
from ledger.writer import LedgerWriter
from seatwatch.clock import now_ms
from seatwatch.settings import load_defaults
from wire.codec import KIND_OF, encode_body
from wire.organisation import Relation, RosterLink

CLIENT: Final = "acme"
TEAM_SIZE: Final = 15
SITES: Final = 2
_SAMPLE: Final = re.compile(r"^(seatwatch_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_LATENESS: Final = "seatwatch_announcement_lateness_seconds_bucket"


class Usage(NamedTuple):
    """The server process: seconds on a core, seconds its main thread was ready and waited for one, private bytes."""

    cpu_s: float
    waited_s: float
    private_bytes: int


class Scrape(NamedTuple):
    """One scrape.

    live: conversations waiting whose deadline has not passed. late: edge in s -> announcements as late as that or less.
    """

    entries: int
    waiting: int
    live: int
    open: int
    late: Mapping[float, int]
    took_s: float


def prepare(base: Path) -> Path:
    """Write configuration, tokens and a roster of 400 people in 27 teams on 2 sites; the path of the configuration."""
    (base / "bench.toml").write_text(
        'based_on = "contract-10s"\nname = "bench"\nservice_windows = ["00:00-24:00"]\n'
        f"first_response_limit_s = {LIMIT_MS // 1000}\nwarning_after_s = {WARNING_MS // 1000}\n",
        encoding="utf-8",
    )
    text = f'[server]\nport = 0\n[[client]]\nid = "{CLIENT}"\ndefinition = "bench.toml"\n'
    for name in (*source_names(), *mark_names()):
        token = base / f"{name}.token"
        token.touch(mode=0o600)
        token.write_text(token_of(name), encoding="utf-8")
        text += f'[[source]]\nid = "{name}"\nclient = "{CLIENT}"\ntoken_file = "{token.name}"\n'
    config = base / "seatwatch.toml"
    config.write_text(text, encoding="utf-8")
    _write_roster(base / "data")
    return config


def _write_roster(data: Path) -> None:
    settings = load_defaults().fill(LedgerSettings, "ledger")
    writer = LedgerWriter.open(ledger_directory(data, CLIENT), settings=settings, clock_ms=now_ms)
    links = []
    for number in range(PEOPLE):
        person, seat = f"person-{number}", f"seat-{number}"
        links += [
            (Relation.PERSON_OF_ACCOUNT, f"account-{number}", person),
            (Relation.TEAM_OF_PERSON, person, f"team-{number // TEAM_SIZE}"),
            (Relation.SEAT_OF_PERSON, person, seat),
            (Relation.SITE_OF_SEAT, seat, f"site-{number * SITES // PEOPLE}"),
        ]
    bodies = [RosterLink(*head(0, ""), *link, 0) for link in links]
    entries = [
        NewEntry("~roster", bytes(16), number, *KIND_OF[RosterLink], encode_body(body))
        for number, body in enumerate(bodies, 1)
    ]
    writer.commit(entries, received_at=now_ms())
    writer.close()


async def scrape(http: aiohttp.ClientSession, url: str) -> Scrape:
    """What Prometheus would have been given now."""
    async with http.get(f"{url}/metrics", headers={"Accept": "application/openmetrics-text"}) as answer:
        answer.raise_for_status()
        text = await answer.text()
    sums: dict[str, float] = {}
    late: dict[float, int] = {}
    for name, labels, number in _SAMPLE.findall(text):
        known = dict(_LABEL.findall(labels))
        if name == _LATENESS:
            edge = float(known["le"])
            late[edge] = late.get(edge, 0) + int(float(number))
        elif known.get("ledger", CLIENT) == CLIENT:
            sums[name] = sums.get(name, 0) + float(number)
    waiting = int(sums.get("seatwatch_waiting_conversations", 0))
    return Scrape(
        entries=int(sums["seatwatch_ledger_entries"]),
        waiting=waiting,
        live=waiting - int(sums.get("seatwatch_overdue_conversations", 0)),
        open=int(sums.get("seatwatch_open_conversations", 0)),
        late=late,
        took_s=sums["seatwatch_scrape_duration_seconds"],
    )


def usage(pid: int) -> Usage:
    """What the process has used so far."""
    process = Path(f"/proc/{pid}")
    fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    _, waited_ns, _ = (process / "task" / str(pid) / "schedstat").read_text(encoding="ascii").split()
    rollup = (process / "smaps_rollup").read_text(encoding="ascii")
    private_kb = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(waited_ns) / 1e9, private_kb * 1024)
