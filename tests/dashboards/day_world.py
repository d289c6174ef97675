"""A day on record that the curve of the day is made of: a wave of misses, an hour without a word, a line and the mains.

Acme is served from 09:00 to 18:00, with a target of 90 % on its queue "presale" and on "aftersale"; beta has three
customers in the evening. 12:00 to 12:45 replies take 14 s while site north has lost a line, then its mains. From 15:00
to 16:00 the feed is silent.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tests.builders import (
    PRESET,
    Event,
    agent,
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
from tests.sla_engine.entries import head
from tests.sla_engine.feeding import Feed
from wire.incident import Cause, IncidentSaid, IncidentStep, Severity

MINUTE: Final = 60_000
ENDS: Final = "18:00"
CONFIG: Final = """
[server]
port = 0
[mqtt]
port = 0
[[client]]
id = "acme"
name = "Acme Ltd"
[[client.queue]]
id = "presale"
name = "Before the sale"
[[client.queue]]
id = "aftersale"
name = "<b>After</b> \\u202eelas"
[[client]]
id = "beta"
[[client.queue]]
id = "orders"
[[site]]
id = "north"
name = "North <i>hall</i>"
seats = 2
"""


def acme() -> list[Event]:
    """Its ledger."""
    asked = replace(contract(PRESET.name), attainment_target_bp=9_000)
    events = [declared("00:10"), published(), signed(asked), *works("anna", "p-1", "red", "a1", "north")]
    for number, at in enumerate(range(ms("09:00"), ms(ENDS), 30_000)):
        if ms("15:00") <= at < ms("16:00"):
            continue
        name, queue = f"c{number}", "presale" if number % 3 else "aftersale"
        late = ms("12:00") <= at < ms("12:45") and number % 4 == 0
        events += [customer(at, name, queue), agent(at + (14_000 if late else 5_000), "anna", name)]
        events.append(closed(at + MINUTE, name))
    events += [silent("15:01"), back("16:00")]
    return [*events, *(clock(at) for at in range(ms("09:00"), ms(ENDS) + MINUTE, MINUTE))]


def beta() -> list[Event]:
    """Its ledger: no target."""
    events = [declared("00:10"), published(), signed()]
    for number in range(3):
        at = ms("17:00") + number * MINUTE
        events += [
            customer(at, f"b{number}", "orders"),
            agent(at + 3_000, "bea", f"b{number}"),
            closed(at + MINUTE, f"b{number}"),
        ]
    return [*events, clock(ENDS)]


def incident(name: str, what: str, cause: Cause, since: str, until: str, site: str = "north") -> Event:
    """An incident as its last revision says it."""
    said = IncidentSaid(
        **head(ms(until)),
        incident=name,
        revision=1,
        step=IncidentStep.CLOSED,
        cause=cause,
        what=what,
        site=site,
        subject="",
        severity=Severity.PAGE,
        is_suspected=False,
        is_planned=False,
        started_at=ms(since),
        ended_at=ms(until),
        of_ledger=b"o" * 16,
        first_index=0,
        last_index=10,
    )
    return Event(said, "~incident", ms(until))


def operator() -> Iterator[Event]:
    """The operator's ledger."""
    yield clock("09:00")
    yield incident("i-line", "line_down", Cause.UPLINK, "11:50", "12:50")
    yield incident("i-power", "mains_lost", Cause.SITE_POWER, "12:20", "12:40")
    yield incident("i-seat", "seat_down", Cause.SEAT_DOWN, "10:00", "10:20")
    yield clock(ENDS)


def written(data: Path, clients: Sequence[str] = ("acme", "beta")) -> Path:
    """`data` with these ledgers."""
    events = {"acme": acme, "beta": beta}
    for directory, told in [
        *((data / "clients" / client, events[client]()) for client in clients),
        (data / "operator", [*operator()]),
    ]:
        ledger = Feed(directory)
        ledger.append(told)
        ledger.close()
    return data


def many_queues(data: Path, names: Sequence[str]) -> None:
    """Acme's ledger with a customer on each of these queues, all answered in time."""
    events = [declared("00:10"), published(), signed()]
    for number, queue in enumerate(names):
        at, name = ms("11:00") + number * 10_000, f"c{number}"
        events += [customer(at, name, queue), agent(at + 4_000, "anna", name), closed(at + MINUTE, name)]
    ledger = Feed(data / "clients" / "acme")
    ledger.append([*events, clock(ENDS)])
    ledger.close()
