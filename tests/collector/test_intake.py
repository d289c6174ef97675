import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from collector._core import derived
from collector._core.admission import Outcome
from collector.errors import Busy, ForeignSource, IntakeStopped
from collector.ledgers import ledger_directory
from collector.sources import Principal, Source
from ledger.errors import LedgerFailed
from ledger.fsck import check
from tests.collector.running import CLIENT, SETTINGS, SOURCES, Hub, running_hub
from tests.collector.store import EPOCH, NOW, SOURCE, frame, item, turn
from tests.waiting import wait_until
from wire.conversation import AgentTurn, Offered
from wire.errors import EncodeError, Reason
from wire.facility import Heartbeat, Role
from wire.follow_up import FollowedUp
from wire.frame import Ack, Frame, GoneRange, Lane, SequenceRange
from wire.ids import OPERATOR
from wire.record import Clock, Equivocation, Feed, Gone, Quarantined, SourceDeclared, Unrouted


def _soon(hub: Hub, sent: Frame) -> "asyncio.Task[Ack]":
    return asyncio.get_running_loop().create_task(hub.intake.submit(sent, hub.principal(sent.source)), name="submit")


async def test_an_ack_names_ledger_epoch_and_index_and_what_it_names_is_in_the_ledger(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        ack = await hub.intake.submit(frame(item(1), item(2)), hub.principal())
        assert (ack.ledger, ack.epoch, ack.acknowledged_through) == (hub.intake.ledgers[CLIENT].ledger_id, EPOCH, 2)
        assert ack.index == len(hub.records()) == hub.intake.ledgers[CLIENT].size
        assert [turn.conversation for turn in hub.bodies(AgentTurn)] == ["c-1", "c-2"]


async def test_a_gateway_may_begin_in_1970_and_a_daily_source_may_tell_of_it_but_no_live_one(tmp_path: Path) -> None:
    gateway, daily = SOURCES[2], Source(id="shop/daily", client=CLIENT, feed=Feed.DAILY)
    beat = Heartbeat(NOW // 1000, 1, "", None, False, "", "site-1", "", Role.GATEWAY, 5000, 0)
    async with running_hub(tmp_path, sources=(SOURCES[0], gateway, daily)) as hub:
        for source, body in ((gateway.id, beat), (daily.id, turn(at=NOW // 1000)), (SOURCE, turn(at=NOW // 1000))):
            ack = await hub.intake.submit(frame(item(1, body), source=source), hub.principal(source))
            reasons = [each.reason for each in ack.rejected]
            assert reasons == ([Reason.OCCURRED_LONG_AGO] if source == SOURCE else [])


async def test_an_ack_names_the_start_of_the_hub_and_telling_again_costs_no_commit(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        first = await hub.intake.submit(frame(item(1)), hub.principal())
    async with running_hub(tmp_path) as hub:
        hub.now += 60_000
        before = await hub.intake.submit(frame(item(2)), hub.principal())
        commits = hub.intake.stats.commits
        again = await hub.intake.submit(frame(base=3), hub.principal())
        assert (again.acknowledged_through, again.index) == (2, before.index)
        assert hub.intake.stats.commits == commits
        assert first.started_at == again.started_at == NOW


async def test_what_an_epoch_left_undelivered_is_asked_for_and_recorded_when_it_is_declared(tmp_path: Path) -> None:
    new = b"n" * 16
    async with running_hub(tmp_path) as hub:
        await hub.intake.submit(frame(item(1), item(2)), hub.principal())
    async with running_hub(tmp_path) as hub:
        ack = await hub.intake.submit(frame(item(1), epoch=new, prev=(EPOCH, 4)), hub.principal())
        assert (ack.acknowledged_through, ack.prev_wanted) == (1, [SequenceRange(3, 4)])
        assert hub.bodies(Gone) == []
        await hub.intake.submit(frame(base=5), hub.principal())
        assert [(gap.about_epoch, gap.first, gap.last) for gap in hub.bodies(Gone)] == [(EPOCH, 3, 4)]
        again = await hub.intake.submit(frame(item(2), epoch=new, prev=(EPOCH, 4)), hub.principal())
        assert again.prev_wanted == []


async def test_nobody_is_answered_before_the_commit(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        answer = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        assert not answer.done()
        assert hub.records() == []
        hub.gate.open.set()
        assert (await answer).acknowledged_through == 1


async def test_what_arrives_during_a_commit_shares_the_next_one(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        first = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        rest = [_soon(hub, frame(item(n))) for n in range(2, 12)]
        await wait_until(lambda: hub.intake.waiting_rows == 20, what="ten frames to wait")
        hub.gate.open.set()
        acks = await asyncio.gather(first, *rest)
        assert hub.intake.stats.commits == 2
        assert acks[-1].acknowledged_through == 11
        assert hub.intake.waiting_rows == 0


async def test_a_full_queue_refuses_before_anything_is_stored(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, waiting_rows_max=4)
    async with running_hub(tmp_path, settings=settings) as hub:
        hub.gate.open.clear()
        first = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        second = _soon(hub, frame(item(2), item(3)))
        await wait_until(lambda: hub.intake.waiting_rows == 3, what="a frame to wait")
        with pytest.raises(Busy) as refused:
            await hub.intake.submit(frame(item(4)), hub.principal())
        assert refused.value.retry_after_ms == 2000
        hub.gate.open.set()
        await asyncio.gather(first, second)
        assert {turn.conversation for turn in hub.bodies(AgentTurn)} == {"c-1", "c-2", "c-3"}
        assert hub.intake.stats.busy == 1


async def test_a_failed_commit_answers_nobody_and_ends_the_process(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        hub.gate.failure = LedgerFailed("disk says no")
        doomed = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        behind = _soon(hub, frame(item(2)))
        await wait_until(lambda: hub.intake.waiting_rows == 2, what="a second frame to wait")
        hub.gate.open.set()
        for answer in (doomed, behind):
            with pytest.raises(IntakeStopped):
                await answer
        assert hub.died == [hub.gate.failure]
        with pytest.raises(IntakeStopped):
            await hub.intake.submit(frame(item(3)), hub.principal())


async def test_a_commit_under_way_when_told_to_stop_is_still_acknowledged(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        answer = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        behind = _soon(hub, frame(item(2)))
        await wait_until(lambda: hub.intake.waiting_rows == 2, what="a second frame to wait")
    assert (await answer).acknowledged_through == 1
    with pytest.raises(IntakeStopped):
        await behind


async def test_a_commit_under_way_survives_being_told_to_stop_more_than_once(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        answer = _soon(hub, frame(item(1)))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        for _ in range(3):
            hub.running.cancel()
            await asyncio.sleep(0)
        assert not hub.running.done()
    assert (await answer).acknowledged_through == 1
    assert hub.died == []


async def test_a_restart_knows_every_stream_and_a_resend_adds_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.intake.submit(frame(item(1), item(2), item(5)), hub.principal())
        before = hub.records()
    async with running_hub(tmp_path) as hub:
        ack = await hub.intake.submit(frame(item(1), item(2), item(5)), hub.principal())
        assert (ack.acknowledged_through, [(w.first, w.last) for w in ack.wanted]) == (2, [(3, 4)])
        assert hub.records() == before
        ack = await hub.intake.submit(frame(item(3), item(4)), hub.principal())
        assert ack.acknowledged_through == 5


async def test_the_same_frame_twice_in_one_commit_is_stored_once(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.gate.open.clear()
        held = _soon(hub, frame(item(1), source="shop/two"))
        await asyncio.to_thread(hub.gate.waiting.wait, 10)
        twice = [_soon(hub, frame(item(1), item(2))) for _ in range(2)]
        await wait_until(lambda: hub.intake.waiting_rows == 6, what="both to wait")
        hub.gate.open.set()
        assert [ack.acknowledged_through for ack in await asyncio.gather(*twice)] == [2, 2]
        await held
        assert len([r for r in hub.records() if r.source == SOURCE]) == 2
        assert hub.intake.stats.outcomes[Outcome.REPEAT] == 2


async def test_a_gap_and_the_mark_past_it_are_one_commit_and_outlive_a_restart(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        sent = frame(item(1), item(4), gone=[GoneRange(2, 3, "presence", 2)])
        assert (await hub.intake.submit(sent, hub.principal())).acknowledged_through == 4
    async with running_hub(tmp_path) as hub:
        assert (await hub.intake.submit(frame(item(5)), hub.principal())).acknowledged_through == 5
        (gap,) = hub.bodies(Gone)
        assert (gap.about_source, gap.first, gap.last) == (SOURCE, 2, 3)


async def test_a_foreign_source_is_refused_and_counted(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for sent, principal in (
            (frame(item(1), source="shop/two"), hub.principal(SOURCE)),
            (frame(item(1), source="nobody"), Principal(frozenset({"nobody"}))),
        ):
            with pytest.raises(ForeignSource):
                await hub.intake.submit(sent, principal)
        assert hub.intake.stats.foreign == 2
        assert hub.records() == []


async def test_a_sender_nobody_configured_is_kept_once_named_and_asked_to_keep_the_rest(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for source in ("site-9/gateway", "site-9/gateway", "site-1/seat-99", "x/1", "x/2"):
            with pytest.raises(ForeignSource):
                await hub.intake.submit(frame(item(1), item(2), source=source), Principal(frozenset({source})))
        kept = hub.bodies(Unrouted, OPERATOR)
        assert [(body.about_source, body.about_sequence, body.queue) for body in kept] == [
            ("site-9/gateway", 1, ""),
            ("site-1/seat-99", 1, ""),
            ("x/1", 1, ""),
        ]
        assert kept[0].raw == bytes(item(1).body)
        assert [*hub.intake.strangers.first_heard] == ["site-9/gateway", "site-1/seat-99", "x/1"]


async def test_who_holds_a_certificate_and_is_configured_no_more_is_said_once_and_counted_while_it_does(
    tmp_path: Path,
) -> None:
    with capture_logs() as logs:
        async with running_hub(tmp_path) as hub:
            strangers = hub.intake.strangers
            with pytest.raises(ForeignSource):
                await hub.intake.submit(frame(item(1), source="site-9/gateway"), Principal(frozenset()))
            for _ in range(2):
                strangers.hold_certificates({"site-9/seat-01", "site-9/gateway"})
            assert strangers.names() == ["site-9/gateway", "site-9/seat-01"]
            strangers.hold_certificates([])
            assert strangers.names() == ["site-9/gateway"]
            assert len(hub.bodies(Unrouted, OPERATOR)) == 1
    told = [(each["source"], each["site"]) for each in logs if each["event"] == "source.unknown"]
    assert told == [("site-9/gateway", "site-9"), ("site-9/seat-01", "site-9")]


async def test_each_source_writes_into_its_own_ledger_and_a_stray_queue_into_the_operators(tmp_path: Path) -> None:
    stray = Offered(NOW, 1, SOURCE, None, True, "c-1", "c-1", "someone-elses-queue")
    async with running_hub(tmp_path) as hub:
        ack = await hub.intake.submit(frame(item(1, stray), item(2)), hub.principal())
        assert [(r.sequence, r.reason) for r in ack.rejected] == [(1, Reason.UNROUTED_QUEUE)]
        (place,) = hub.bodies(Quarantined)
        assert place.raw == b""
        (unrouted,) = hub.bodies(Unrouted, OPERATOR)
        assert unrouted.queue == "someone-elses-queue"
        again = await hub.intake.submit(frame(item(1, stray)), hub.principal())
        assert again.rejected == ack.rejected
        assert len(hub.bodies(Unrouted, OPERATOR)) == 1


async def test_a_source_is_declared_before_its_first_entry_once_and_again_when_it_changes(tmp_path: Path) -> None:
    gateway = frame(item(1), source="site-1/gateway")
    for _ in range(2):
        async with running_hub(tmp_path) as hub:
            await hub.intake.submit(gateway, hub.principal("site-1/gateway"))
            records = hub.records(OPERATOR)
            assert isinstance(records[0].body, SourceDeclared)
            assert (records[0].body.site, records[0].body.heartbeat_ms) == ("site-1", 10_000)
            assert len(records) == 2
    changed = [*SOURCES[:2], Source(id="site-1/gateway", carries="facilities", site="site-2")]
    for _ in range(2):
        async with running_hub(tmp_path, sources=changed) as hub:
            await hub.intake.submit(gateway, hub.principal("site-1/gateway"))
            assert [d.site for d in hub.bodies(SourceDeclared, OPERATOR)] == ["site-1", "site-2"]


async def test_a_source_that_sends_event_ids_is_declared_unnumbered_and_stays_so(tmp_path: Path) -> None:
    unnumbered = frame(item(0, turn(), event_id="d-1"), lane=Lane.BY_EVENT_ID)
    async with running_hub(tmp_path) as hub:
        for sent in (frame(item(1)), unnumbered, frame(item(2)), unnumbered):
            await hub.intake.submit(sent, hub.principal())
    async with running_hub(tmp_path) as hub:
        await hub.intake.submit(frame(item(3)), hub.principal())
        assert [d.numbered for d in hub.bodies(SourceDeclared)] == [True, False]


async def test_snapshots_leave_no_mark_and_a_restart_still_knows_the_newest(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        shown = frame(item(7), source="shop/two", lane=Lane.SNAPSHOT)
        assert (await hub.intake.submit(shown, hub.principal("shop/two"))).acknowledged_through == 7
    async with running_hub(tmp_path) as hub:
        older = frame(item(4), item(9), source="shop/two", lane=Lane.SNAPSHOT)
        assert (await hub.intake.submit(older, hub.principal("shop/two"))).acknowledged_through == 9
        older = frame(item(4), source="shop/two", lane=Lane.SNAPSHOT)
        assert (await hub.intake.submit(older, hub.principal("shop/two"))).acknowledged_through == 9
        assert [turn.conversation for turn in hub.bodies(AgentTurn)] == ["c-7", "c-9"]
    # nothing of the backlog was stored, so the check cannot know that holes are normal here: no mark may say otherwise
    report = check(ledger_directory(tmp_path, CLIENT))
    assert report.problems == []


async def test_an_event_id_is_stored_once_over_a_restart_and_has_no_mark(tmp_path: Path) -> None:
    for _ in range(2):
        async with running_hub(tmp_path) as hub:
            sent = frame(item(0, turn(), event_id="delivery-1"), lane=Lane.BY_EVENT_ID)
            assert (await hub.intake.submit(sent, hub.principal())).acknowledged_through == 0
            assert len(hub.bodies(AgentTurn)) == 1


async def test_derived_entries_are_stored_once_and_a_contradiction_is_kept(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        ledger_id = hub.intake.ledgers[CLIENT].ledger_id
        tick = derived.clock(ledger_id, NOW)
        first = await hub.intake.append_derived(CLIENT, [tick, tick], latest=True)
        assert (first.appended, first.repeats, first.size) == (1, 1, 1)
        assert (await hub.intake.append_derived(CLIENT, [tick])).repeats == 1
        other = replace(derived.clock(ledger_id, NOW + 1000), sequence=tick.sequence)
        assert (await hub.intake.append_derived(CLIENT, [other])).equivocations == 1
        assert (len(hub.bodies(Clock)), len(hub.bodies(Equivocation))) == (1, 1)
        with pytest.raises(KeyError):
            await hub.intake.append_derived("nobody", [tick])


async def test_what_could_not_be_read_again_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        tick = derived.clock(hub.intake.ledgers[CLIENT].ledger_id, NOW)
        too_long = derived.followed_up(
            FollowedUp(NOW, 1, "hub", None, True, "", "c-1", None, "P1", "red", "", "x" * 500)
        )
        with pytest.raises(EncodeError, match="could not be read again"):
            await hub.intake.append_derived(CLIENT, [tick, too_long])
        assert hub.bodies(Clock) == []
        assert (await hub.intake.append_derived(CLIENT, [tick])).appended == 1


async def test_who_follows_a_ledger_is_woken_by_its_growth(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        handle = hub.intake.ledgers[CLIENT]
        follower = asyncio.get_running_loop().create_task(handle.changed(since=0), name="follower")
        await hub.intake.submit(frame(item(1)), hub.principal())
        assert await follower == 2
        assert await handle.changed(since=1) == 2
        assert handle.reader.read(0, 10)[1].sequence == 1


async def test_received_at_does_not_fall_when_the_hubs_clock_does(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.intake.submit(frame(item(1)), hub.principal())
        hub.now -= 60_000
        await hub.intake.submit(frame(item(2, turn("c-2", at=hub.now))), hub.principal())
        assert hub.intake.heard[SOURCE].at == NOW
        assert {record.received_at for record in hub.records()} == {NOW}


async def test_views_are_forgotten_and_found_again(tmp_path: Path) -> None:
    async with running_hub(tmp_path, settings=msgspec.structs.replace(SETTINGS, streams_max=1)) as hub:
        for sequence in range(1, 5):
            for epoch in (b"a" * 16, b"b" * 16):
                ack = await hub.intake.submit(frame(item(sequence), epoch=epoch), hub.principal())
                assert ack.acknowledged_through == sequence


async def test_stats_tell_what_became_of_every_item(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.intake.submit(frame(item(1), item(2)), hub.principal())
        await hub.intake.submit(frame(item(2), item(2, turn("other"))), hub.principal())
        stats = hub.intake.stats
        assert (stats.frames, stats.items) == (2, 4)
        assert {name: n for name, n in stats.outcomes.items() if n} == {
            Outcome.ACCEPTED: 2,
            Outcome.REPEAT: 1,
            Outcome.EQUIVOCATION: 1,
        }
        assert stats.rejected[Reason.EQUIVOCATION] == 1
        assert (stats.accept_time.count, sum(stats.commit_time.counts)) == (2, 2)
