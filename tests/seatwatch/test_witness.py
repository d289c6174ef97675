"""Real ledgers bear witness: what people of a silent site do reaches the record, and the incident follows."""

from pathlib import Path

from collector._core import derived
from seatwatch.server.witness import Witness
from seatwatch.settings import load_defaults
from tests.collector.running import Hub, running_hub
from tests.collector.store import NOW, SOURCE, frame, item
from tests.seatwatch.test_incident_book import GATEWAY, beat, enter_roster, tell, watching
from tests.sla_engine.entries import head
from tests.waiting import wait_until
from wire.conversation import AgentTurn
from wire.ids import OPERATOR
from wire.incident import WorkSeen

SECOND = 1_000


async def reply(hub: Hub, sequence: int, *after_s: int) -> None:
    """Somebody at the site answers so many seconds after its last word."""
    turns = [
        AgentTurn(**head(NOW + s * SECOND), conversation=f"c{sequence + n}", account="a1")
        for n, s in enumerate(after_s)
    ]
    hub.now = max(hub.now, NOW + after_s[-1] * SECOND)
    items = [item(sequence + n, turn) for n, turn in enumerate(turns)]
    await hub.intake.submit(frame(*items), hub.principal(SOURCE))


async def test_a_site_whose_people_go_on_answering_becomes_a_ticket_by_one_entry(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await enter_roster(hub)
        async with watching(hub, tmp_path) as watch:
            witness = Witness(hub.intake, watch.runner, defaults=load_defaults(), clock_ms=lambda: hub.now)
            await tell(hub, 1, [beat()])
            await witness.look()
            await hub.intake.append_derived(OPERATOR, [derived.silent(GATEWAY, NOW, NOW + 6 * SECOND)])
            await wait_until(lambda: bool(watch.said), what="the silence")
            await reply(hub, 1, 20)
            await witness.look()
            assert hub.bodies(WorkSeen, OPERATOR) == []
            await reply(hub, 2, 30, 40)
            await witness.look()
            await witness.look()
            (seen,) = hub.bodies(WorkSeen, OPERATOR)
            told = (seen.incident, seen.site, seen.replies, seen.is_working)
            assert told == (watch.said[0].incident, "site-1", 3, True)
            await wait_until(lambda: len(watch.said) > 1, what="the incident to follow")
            found = [(said.what, said.severity) for said in watch.said]
            assert found == [("site_silent", "page"), ("monitoring", "ticket")]
