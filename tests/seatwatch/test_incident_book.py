"""Incidents on their way into real ledgers: written down before they are said, and once, however often we start."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from collector._core import derived
from collector._core.roster import ROSTER
from seatwatch.printed.incident_words import IncidentTeller
from seatwatch.server.incidents import INCIDENTS, IncidentBook, sites_runner
from seatwatch.server.removed_sites import say_removed_sites
from seatwatch.settings import load_defaults
from sla_engine.runners.sites import KEPT_FILE
from tests.collector.running import CLIENT, Hub, running_hub
from tests.collector.store import NOW, frame, item
from tests.sla_engine.entries import head
from tests.waiting import wait_until
from wire.body import Body
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.ids import OPERATOR
from wire.incident import IncidentSaid
from wire.organisation import Relation, RosterLink
from wire.record import SiteRemoved

GATEWAY = "site-1/gateway"
LINKS = [
    (Relation.SITE_OF_SEAT, "s1", "site-1", {}),
    (Relation.SEAT_OF_PERSON, "p1", "s1", {}),
    (Relation.PERSON_OF_ACCOUNT, "a1", "p1", {"client": CLIENT}),
]


class Watch:
    """A runner over a hub, and what it said."""

    def __init__(self, hub: Hub, directory: Path) -> None:
        self.said: list[IncidentSaid] = []
        self.book = IncidentBook(hub.intake)
        self.book.listeners.append(self.said.extend)
        self.runner = sites_runner(
            hub.intake.ledgers[OPERATOR],
            directory / INCIDENTS,
            self.book,
            defaults=load_defaults(),
            clock_ms=lambda: hub.now,
        )


@asynccontextmanager
async def watching(hub: Hub, directory: Path) -> AsyncIterator[Watch]:
    watch = Watch(hub, directory)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watch.runner.run(), name="sites")
        await watch.runner.caught_up.wait()
        yield watch
        task.cancel()


async def tell(hub: Hub, sequence: int, bodies: Sequence[Body]) -> None:
    items = [item(sequence + number, body) for number, body in enumerate(bodies)]
    await hub.intake.submit(frame(*items, source=GATEWAY), hub.principal(GATEWAY))


def beat() -> Heartbeat:
    return Heartbeat(**head(NOW), site="site-1", seat="", role=Role.GATEWAY, interval_ms=2_000, uptime_ms=1)


def ups(power: Power, after_ms: int = 0) -> UpsReading:
    return UpsReading(**head(NOW + after_ms), site="site-1", ups="rack", power=power, comms=Comms.OK)


async def enter_roster(hub: Hub) -> None:
    entries = [
        derived.entry(
            ROSTER,
            b"r" * 16,
            number,
            RosterLink(
                **head(0), relation=relation, subject=subject, target=target, effective_from=0, attributes=attributes
            ),
        )
        for number, (relation, subject, target, attributes) in enumerate(LINKS, start=1)
    ]
    await hub.intake.append_derived(OPERATOR, entries)


def revisions(hub: Hub, client: str = OPERATOR) -> list[int]:
    return [said.revision for said in hub.bodies(IncidentSaid, client)]


async def test_an_incident_is_in_the_operators_ledger_and_the_clients_with_its_evidence_before_it_is_said(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        async with watching(hub, tmp_path) as watch:
            await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
            await wait_until(lambda: bool(watch.said), what="the loss of mains")
            (said,) = hub.bodies(IncidentSaid, OPERATOR)
            assert hub.bodies(IncidentSaid, CLIENT) == [said] == watch.said
            assert watch.book.open_incidents() == [said]
            reader = hub.open_reader(OPERATOR)
            evidence = [entry.leaf for entry in reader.read(said.first_index, 1)]
            reader.close()
            assert said.leaves == evidence
            assert said.of_ledger == hub.intake.ledgers[OPERATOR].ledger_id


async def test_a_restart_says_what_lasts_from_its_state_and_writes_nothing_twice(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        async with watching(hub, tmp_path) as watch:
            await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
            await wait_until(lambda: bool(watch.said), what="the loss of mains")
    shutil.rmtree(tmp_path / INCIDENTS)  # all that was kept is lost: the ledger is read from its beginning
    for _ in range(2):
        async with running_hub(tmp_path) as hub:
            async with watching(hub, tmp_path) as watch:
                assert [said.what for said in watch.book.open_incidents()] == ["mains_lost"]
            assert watch.said == []
            assert (revisions(hub), revisions(hub, CLIENT)) == ([1], [1])


async def test_a_client_whose_people_moved_away_meanwhile_is_told_the_end_of_what_it_was_told(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        async with watching(hub, tmp_path) as watch:
            await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
            await wait_until(lambda: bool(watch.said), what="the loss of mains")
            moved = RosterLink(
                **head(0), relation=Relation.SEAT_OF_PERSON, subject="p1", target="elsewhere", effective_from=1
            )
            await hub.intake.append_derived(OPERATOR, [derived.entry(ROSTER, b"r" * 16, len(LINKS) + 1, moved)])
            await tell(hub, 4, [ups(Power.MAINS, 20), ups(Power.BATTERY, 30)])
            await wait_until(lambda: len(watch.said) == 3, what="its end, and another one")
        assert revisions(hub) == [1, 2, 1]
        assert revisions(hub, CLIENT) == [1, 2], "and not of the next one, which is none of its concern"


async def test_of_what_began_while_we_watched_no_ledger_is_asked_who_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hundred seats that were back at once took ten seconds under load, and each page after them as long."""
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        async with watching(hub, tmp_path) as watch:
            await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
            await wait_until(lambda: bool(watch.said), what="the loss of mains")
            monkeypatch.setattr(hub.intake, "latest", None)
            await tell(hub, 4, [ups(Power.MAINS, 20)])
            await wait_until(lambda: len(watch.said) == 2, what="its end")
            assert watch.book._knowing == {}
        assert (revisions(hub), revisions(hub, CLIENT)) == ([1, 2], [1, 2])


async def test_what_was_found_and_not_written_before_a_crash_is_written_and_said_after_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
        blind = sites_runner(
            hub.intake.ledgers[OPERATOR],
            tmp_path / INCIDENTS,
            None,
            defaults=load_defaults(),
            clock_ms=lambda: hub.now,
        )
        task = asyncio.get_running_loop().create_task(blind.run(), name="blind")
        await blind.caught_up.wait()
        task.cancel()
        await asyncio.wait([task])
        assert (tmp_path / INCIDENTS / KEPT_FILE).exists()
        assert revisions(hub) == []
    async with running_hub(tmp_path) as hub, watching(hub, tmp_path) as watch:
        await wait_until(lambda: bool(watch.said), what="what was left unsaid")
        assert (revisions(hub), revisions(hub, CLIENT)) == ([1], [1])


async def test_an_outage_that_came_and_went_unwatched_is_written_down_and_pages_nobody(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10), ups(Power.MAINS, 20)])
        async with watching(hub, tmp_path) as watch:
            await wait_until(lambda: len(revisions(hub)) == 2, what="both revisions")
            assert watch.book.open_incidents() == []
        assert watch.said == []


async def test_what_was_open_at_a_site_that_is_configured_no_more_ends_and_that_is_said_once(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, watching(hub, tmp_path) as watch:
        await tell(hub, 1, [beat(), ups(Power.MAINS), ups(Power.BATTERY, 10)])
        await wait_until(lambda: bool(watch.said), what="the loss of mains")
        await say_removed_sites(watch.runner, ["site-1", "site-2"], watch.book, lambda: hub.now)
    with capture_logs() as logs:
        for _ in range(2):
            async with running_hub(tmp_path) as hub, watching(hub, tmp_path) as watch:
                await say_removed_sites(watch.runner, ["site-2"], watch.book, lambda: hub.now)
                await wait_until(lambda: watch.runner.sites() == set(), what="the end of the site")
                await wait_until(lambda: revisions(hub) == [1, 2], what="the end of its incident")
    assert [each["site"] for each in logs if each["event"] == "site.removed"] == ["site-1"]
    async with running_hub(tmp_path) as hub:
        last = hub.bodies(IncidentSaid, OPERATOR)[-1]
        assert (last.step, last.details["site_removed"]) == ("closed", "yes")
        assert [gone.site for gone in hub.bodies(SiteRemoved, OPERATOR)] == ["site-1"]
        shown = IncidentTeller("en", ZoneInfo("Asia/Shanghai")).headline(last)
        assert shown.endswith("site removed")
