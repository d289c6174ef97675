"""An alert that ends because its incident became something else is no all-clear, though others are told."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dashboards.alerting._core.message import AlertTold, Told
from dashboards.alerting._core.pager import Alert
from dashboards.alerting.bridge import PagerNow
from dashboards.alerting.on_call import OnCall
from seatwatch.config import parse_config
from seatwatch.server.on_call import on_call
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.bridge_world import World, bridge_world
from tests.dashboards.alerting.incidents import MINUTE, incident
from tests.dashboards.alerting.test_on_call import T0, TWO_ON_DUTY
from tests.tidy.source import ROOT
from wire.incident import IncidentSaid, Severity

LINE = incident("line_down", T0, subject="l1", site="site2", severity=Severity.TICKET)
NOW = T0 + 10 * MINUTE
BEGAN, ENDED, LATER = "2025-11-22T04:00:00Z", "2025-11-22T04:10:00Z", "2025-11-22T04:20:00Z"


def paging(said: IncidentSaid) -> OnCall:
    pager = on_call(parse_config(TWO_ON_DUTY, base=ROOT), load_defaults(), lambda: NOW, lambda _: None)
    pager.take_up([said], {})
    return pager


def as_told(alert: Alert, *, by_push: OnCall | None = None, ended: str = "") -> AlertTold:
    """As Alertmanager tells it: with the words of the last push, or with none of a rule."""
    labels = alert.identity.labels()
    words = {} if by_push is None else by_push.annotations(labels)
    return AlertTold("resolved" if ended else "firing", labels, words, BEGAN, ended, repr(alert.identity))


def of_tier(pager: OnCall, tier: int, severity: Severity) -> Alert:
    [found] = [
        each for each in pager.alerts() if each.identity.tier == tier and each.identity.severity == severity.value
    ]
    return found


async def hear(world: World, *told: AlertTold) -> list[str]:
    for each in told:
        assert await world.bridge.deliver(["desk"], Told("", [each])) == []
    return titles(world)


def titles(world: World) -> list[str]:
    return [message["title"].split("]")[0].removeprefix("[") for message in world.hook.taken]


@pytest.mark.parametrize("is_beside", [True, False])
async def test_a_ticket_that_becomes_a_page_is_not_told_as_over(tmp_path: Path, *, is_beside: bool) -> None:
    """A line that was lost at night is still down when the site opens."""
    pager = paging(LINE)
    ticket = of_tier(pager, 1, Severity.TICKET)
    pager.said([replace(LINE, revision=1, severity=Severity.PAGE)])
    over, by_rule = as_told(ticket, by_push=pager, ended=ENDED), as_told(ticket, ended=ENDED)
    beside = PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations) if is_beside else None
    async with bridge_world(tmp_path) as world:
        world.restart(beside)
        assert await hear(world, as_told(ticket), over, by_rule, over) == ["Alert", "More urgent"]
        assert world.hook.taken[1]["lines"] == ["site2 Line down l1 (since 12:00:00, goes on as: page now)"]
        assert not world.hook.taken[1]["is_resolved"]
        [trouble] = world.hook.taken[1]["troubles"]
        assert trouble["is_resolved"], "who keeps incidents apart closes the ticket's; another way tells of the page"


@pytest.mark.parametrize("is_beside", [True, False])
async def test_who_reads_tickets_and_pages_hears_of_the_page_and_of_its_end(tmp_path: Path, *, is_beside: bool) -> None:
    """The ticket's end comes up to five minutes later; told as an end it swallowed that of the line."""
    pager = paging(LINE)
    ticket = of_tier(pager, 1, Severity.TICKET)
    pager.said([replace(LINE, revision=1, severity=Severity.PAGE)])
    page = of_tier(pager, 1, Severity.PAGE)
    over = as_told(ticket, by_push=pager, ended=ENDED)
    beside = PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations) if is_beside else None
    async with bridge_world(tmp_path) as world:
        world.restart(beside)
        await hear(world, as_told(ticket))
        world.after(1)
        await hear(world, as_told(page))
        world.after(1)
        assert await hear(world, over) == ["Alert", "Alert"]
        pager.said([replace(LINE, revision=2, severity=Severity.PAGE, ended_at=NOW)])
        end = as_told(page, ended=LATER)
        assert await hear(world, end, end) == ["Alert", "Alert", "Resolved"]


async def test_the_next_on_duty_is_not_told_that_what_calls_the_first_is_over(tmp_path: Path) -> None:
    """Nobody took the page on, so the second was paged; then it became a call, which begins with the first again."""
    mains = incident("site_silent", T0)
    pager = paging(mains)
    second = of_tier(pager, 2, Severity.PAGE)
    pager.said([replace(mains, revision=1, severity=Severity.CALL)])
    first = of_tier(pager, 1, Severity.PAGE)
    async with bridge_world(tmp_path) as world:
        world.restart(PagerNow(lambda: pager.is_ready, pager.fires, pager.annotations))
        assert await hear(world, as_told(second), as_told(second, ended=ENDED)) == ["Nobody took it on", "More urgent"]
    assert names_what_it_became(pager, [first, second]) == [False, True]


def test_a_server_that_was_started_anew_knows_what_became_of_what_it_said_before() -> None:
    """Alertmanager still holds the ticket, and lets it lapse."""
    ticket = of_tier(paging(LINE), 1, Severity.TICKET).identity.labels()
    page = replace(LINE, revision=1, severity=Severity.PAGE)
    assert paging(page).annotations(ticket) == {"goes_on": "page line_down"}
    assert paging(page).annotations({"incident": LINE.incident, "tier": "x"}) == {"goes_on": "page line_down"}
    assert paging(replace(page, ended_at=NOW)).annotations(ticket) == {}


def names_what_it_became(pager: OnCall, alerts: Sequence[Alert]) -> list[bool]:
    return ["goes_on" in pager.annotations(each.identity.labels()) for each in alerts]
