"""A site's day in the operator's ledger: two lines, a UPS, a trunk, four seats of two clients, and what befell them.

09:50 to 12:50 on DAY, each reading repeated every two minutes. 10:00:05 telecom down for six minutes; 11:00 on battery
for ten minutes; 12:00 the site's lines cut for ten minutes, of which the gateway tells afterwards; seat n3 gone from
12:30. At 10:20 the gateway is not heard for half a minute.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.builders import Event, clock, ms
from tests.seatwatch.portal.worlds import client_of, day
from tests.sla_engine.entries import head
from tests.sla_engine.feeding import Feed
from wire.body import Body
from wire.facility import Comms, Heartbeat, Power, Role, SelfTest, UpsReading
from wire.incident import Cause, IncidentSaid, IncidentStep, Severity
from wire.organisation import Relation, RosterLink
from wire.phone import PhoneLineReading, TrunkState
from wire.record import Feed as Told
from wire.record import SourceBack, SourceDeclared, SourceSilent
from wire.uplink import LineReading, LineReason, LineState

MINUTE = 60_000
GATE = "north/gateway"
SEATS = {"n1": "acme", "n2": "acme", "n3": "acme", "n4": "beta"}
OPENS, ENDS = ms("09:50"), ms("12:50")
STEP = 2 * MINUTE
DARK = ms("12:00"), ms("12:10")


def declared(source: str, site: str) -> Event:
    body = SourceDeclared(
        **head(0), about_source=source, feed=Told.LIVE, carries="facilities", site=site, heartbeat_ms=2_000
    )
    return Event(body, "~sources", 0)


def link(relation: Relation, subject: str, target: str, **attributes: str) -> Event:
    body = RosterLink(
        **head(0), relation=relation, subject=subject, target=target, effective_from=0, attributes=attributes
    )
    return Event(body, "~roster", 0)


def sits(seat: str, client: str, site: str = "north", shift: tuple[str, str] = ("09:00", "13:00")) -> list[Event]:
    return [
        link(Relation.SITE_OF_SEAT, seat, site),
        link(Relation.SEAT_OF_PERSON, f"p-{seat}", seat),
        link(Relation.SHIFT_OF_PERSON, f"p-{seat}", "shift", starts=shift[0], ends=shift[1]),
        link(Relation.PERSON_OF_ACCOUNT, f"{client}:{seat}", f"p-{seat}", client=client),
    ]


def beat(source: str, at: int, received_at: int, seat: str = "", site: str = "north") -> Event:
    role = Role.SEAT if seat else Role.GATEWAY
    body = Heartbeat(**head(at), site=site, seat=seat, role=role, interval_ms=5_000, uptime_ms=1)
    return Event(body, source, received_at)


def told(body: Body, received_at: int) -> Event:
    return Event(body, GATE, received_at)


class Befell(NamedTuple):
    """What a site's gateway has to tell of, [since, until) each, ms. drop: percent of charge lost in a minute."""

    line_down: tuple[int, int] = (ms("10:00:05"), ms("10:06:05"))
    battery: tuple[int, int] = (ms("11:00"), ms("11:10"))
    drop: int = 4


WHAT_BEFELL = Befell()


def readings(at: int, received_at: int, befell: Befell = WHAT_BEFELL) -> Iterator[Event]:
    """What the gateway says of everything at one instant."""
    is_down = befell.line_down[0] <= at < befell.line_down[1]
    carried: dict[str, Any] = {"site": "north", "is_default_route": True}
    state, reason = (LineState.DOWN, LineReason.NO_INTERNET) if is_down else (LineState.UP, LineReason.OK)
    held = at - befell.line_down[0] if is_down else 0
    line = LineReading(**head(at), line="wan1", carrier="telecom", state=state, reason=reason, since_ms=held, **carried)
    yield told(line, received_at)
    other = LineReading(
        **head(at), site="north", line="wan2", carrier="unicom", state=LineState.UP, reason=LineReason.OK
    )
    yield told(other, received_at)
    on_battery = befell.battery[0] <= at < befell.battery[1]
    power = Power.BATTERY if on_battery else Power.MAINS
    since = at - befell.battery[0]
    # a battery takes ten times as long to fill as it took to empty
    filled = (befell.battery[1] - befell.battery[0]) * befell.drop - (at - befell.battery[1]) * befell.drop // 10
    charge = 100 - befell.drop * (since // MINUTE) if on_battery else 100
    if at >= befell.battery[1] and filled > 0:
        charge = 100 - filled // MINUTE
    ups = UpsReading(
        **head(at),
        site="north",
        ups="rack",
        power=power,
        comms=Comms.OK,
        charge_percent=charge,
        since_ms=since if on_battery else 0,
        self_test=SelfTest.PASSED,
        self_test_date="2025-11-01",
    )
    yield told(ups, received_at)
    trunk = PhoneLineReading(**head(at), site="north", phone_line="sip", state=TrunkState.REACHABLE)
    yield told(trunk, received_at)
    yield beat(GATE, at, received_at)


def silence(source: str, heard_at: int, at: int) -> Event:
    return Event(SourceSilent(**head(at), about_source=source, heard_at=heard_at), "~silence", at)


def incident(
    site: str = "north",
    subject: str = "wan1",
    cause: Cause = Cause.UPLINK,
    name: str = "i-line",
) -> Event:
    """An incident that lasted as long as the line was down, as its last revision says."""
    said = IncidentSaid(
        **head(WHAT_BEFELL.line_down[1]),
        incident=name,
        revision=1,
        step=IncidentStep.CLOSED,
        cause=cause,
        what="line_down" if cause is Cause.UPLINK else "seat_down",
        site=site,
        subject=subject,
        severity=Severity.PAGE,
        is_suspected=False,
        is_planned=False,
        started_at=WHAT_BEFELL.line_down[0],
        ended_at=WHAT_BEFELL.line_down[1],
        of_ledger=b"o" * 16,
        first_index=0,
        last_index=10_000,
        details={"carrier": "telecom"} if cause is Cause.UPLINK else {},
    )
    return Event(said, "~incident", WHAT_BEFELL.line_down[1])


def site_day(foreign: int = 1) -> list[Event]:
    """The day of site north; at site south sit `foreign` seats of beta, and a gateway of its own."""
    events = [declared(GATE, "north"), declared("south/gateway", "south")]
    for seat, client in SEATS.items():
        events += [declared(f"north/{seat}", "north"), *sits(seat, client)]
    for number in range(foreign):
        events += sits(f"s{number}", "beta", "south")
        events += [declared(f"north/nf{number}", "north"), *sits(f"nf{number}", "beta", "north")]
        events.append(silence(f"north/nf{number}", ms("10:31") + number * MINUTE, ms("10:34")))
    for at in range(OPENS, ENDS, STEP):
        events.append(clock(at))
        is_dark = DARK[0] <= at < DARK[1]
        events += readings(at, DARK[1] if is_dark else at)
        events += [beat("south/gateway", at, at, site="south") for _ in range(foreign)]
        if at < ms("10:31"):
            events += [beat(f"north/nf{number}", at, at, f"nf{number}") for number in range(foreign)]
        for seat in SEATS:
            if not is_dark and not (seat == "n3" and at >= ms("12:30")):
                events.append(beat(f"north/{seat}", at, at, seat))
    events += [
        silence(GATE, ms("10:20"), ms("10:20:06")),
        Event(SourceBack(**head(ms("10:20:30")), about_source=GATE), "~silence", ms("10:20:30")),
    ]
    events.append(silence("north/n3", ms("12:28"), ms("12:31")))
    events += [silence(f"north/{seat}", DARK[0] - STEP, DARK[0]) for seat in SEATS]
    events += [Event(SourceBack(**head(DARK[1]), about_source=f"north/{seat}"), "~silence", DARK[1]) for seat in SEATS]
    return [*events, incident(), clock("13:00")]


def operator_of(data: Path, events: list[Event]) -> None:
    ledger = Feed(data / "operator")
    ledger.append(events)
    ledger.close()


def two_clients(data: Path, foreign: int = 1) -> None:
    """acme and beta with their day, and the operator's sites. Both were told of a seat of beta's that fell silent."""
    seat = incident(name="i-seat", subject="n4", cause=Cause.SEAT_DOWN)
    client_of(data, "acme", [*day(), incident(), seat])
    theirs = [incident(name=f"i-foreign-{number}", site="south") for number in range(1, foreign + 1)]
    client_of(data, "beta", [*day("foreign-"), *theirs])
    operator_of(data, site_day(foreign))
