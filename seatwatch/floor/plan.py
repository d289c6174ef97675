"""What a simulated floor looks like: which clients, queues, sites, seats and people there are. Pure and seeded."""

from typing import Final

import msgspec

CLIENTS: Final = (("acme", ("acme-presale", "acme-aftersale")), ("bolt", ("bolt-service",)))
NAMES: Final = {
    "acme": "Acme Outdoor",
    "acme-presale": "Pre-sale",
    "acme-aftersale": "After-sale",
    "acme-shop": "Acme Store",
    "bolt": "Bolt Audio",
    "bolt-service": "Service",
    "bolt-shop": "Bolt Store",
}


class Person(msgspec.Struct, frozen=True):
    """One person on one seat with one platform sub-account, serving one client."""

    account: str
    person: str
    team: str
    seat: str
    site: str
    client: str


class FloorPlan(msgspec.Struct, frozen=True):
    """The whole floor. queues: client -> its queues; people are spread evenly over clients on every site."""

    sites: tuple[str, ...]
    seats_per_site: int
    queues: dict[str, tuple[str, ...]]
    people: tuple[Person, ...]


ANY_HOUR: Final = "00:00-24:00"
"""A floor to look at is staffed whenever somebody looks."""
ROSTER_COLUMNS: Final = (
    "client",
    "shop",
    "queue",
    "account",
    "person",
    "team",
    "seat",
    "site",
    "seat_mode",
    "limit",
    "shift",
    "effective_from",
)


def roster_rows(plan: FloorPlan, effective_from: str, *, limit: int) -> list[dict[str, str]]:
    """The plan as rows of a roster file, in force from that date on (YYYY-MM-DD). limit: conversations in two hands."""
    rows: list[dict[str, str]] = []
    for client, queues in plan.queues.items():
        shop = f"{client}-shop"
        rows.append({"client": client, "shop": shop})
        rows += [{"shop": shop, "queue": queue} for queue in queues]
    rows += [
        {"seat": person.seat, "site": person.site, "seat_mode": "dedicated", "limit": str(limit)}
        for person in plan.people
    ]
    rows += [
        {
            "shop": f"{person.client}-shop",
            "account": person.account,
            "person": person.person,
            "team": person.team,
            "seat": person.seat,
            "shift": ANY_HOUR,
        }
        for person in plan.people
    ]
    return [{**dict.fromkeys(ROSTER_COLUMNS, ""), **row, "effective_from": effective_from} for row in rows]


def plan_floor(sites: int, seats: int, team_size: int) -> FloorPlan:
    """A floor of `sites` buildings with `seats` seats each, and a lead for every `team_size` people."""
    names = tuple(f"site{number}" for number in range(1, sites + 1))
    people = []
    for site in names:
        for seat in range(1, seats + 1):
            client = CLIENTS[seat % len(CLIENTS)][0]
            number = f"{site}-{seat:02d}"
            people.append(
                Person(
                    account=f"{client}:{number}",
                    person=f"person-{number}",
                    team=f"{site}-team-{(seat - 1) // team_size + 1}",
                    seat=f"{site}/seat-{seat:02d}",
                    site=site,
                    client=client,
                )
            )
    return FloorPlan(sites=names, seats_per_site=seats, queues=dict(CLIENTS), people=tuple(people))
