"""A day of conversations, and figures a platform published about it."""

from tests.builders import Event, agent, assigned, changed, clock, customer, left, ms, rules
from wire.platform import PlatformFigure

DAY_STARTS, DAY_ENDS = ms("00:00"), ms("+1 00:00")
LENIENT = changed(name="lenient", version=3, first_response_limit_ms=20_000)


def platform(
    value: int | None,
    *,
    metric: str = "rate",
    measure: str = "attainment",
    unit: str = "ppm",
    of: tuple[int, int] = (0, 0),
    queue: str = "",
    account: str = "",
    definition: str = "",
    period: tuple[int, int] = (DAY_STARTS, DAY_ENDS),
    arrives: str = "+1 10:00",
) -> Event:
    starts, ends = period
    body = PlatformFigure(
        ends,
        ends - starts,
        "sheet",
        None,
        False,
        "",
        period_starts=starts,
        period_ends=ends,
        metric=metric,
        unit=unit,
        value=value,
        part=of[0],
        whole=of[1],
        queue=queue,
        account=account,
        definition=definition,
        measure=measure,
    )
    return Event(body, "figures/acme", ms(arrives))


def day() -> list[Event]:
    """Ten answered after 5 s by Anna, one after 15 s by Bo on another queue, one before opening, one that left."""
    events = rules()
    for number in range(10):
        at = f"09:{number:02}:0"
        events += [
            customer(f"{at}0", f"c{number}"),
            assigned(f"{at}1", c=f"c{number}"),
            agent(f"{at}5", c=f"c{number}"),
        ]
    events += [
        customer("10:00:00", "late", "sale"),
        assigned("10:00:01", "bo", "late"),
        agent("10:00:15", "bo", "late"),
    ]
    events += [customer("07:30:00", "early"), agent("07:30:05", c="early")]
    events += [customer("11:00:00", "gone"), left("11:00:30", "gone")]
    return [*events, clock("+1 08:00")]
