import pytest

from collector._core import keys
from collector._core.admission import Outcome, Rules
from tests.collector.store import EPOCH, NOW, RULES, SOURCE, Store, body_of, frame, item, outcomes, raw_item, turn
from wire.codec import decode_frame, encode_body, encode_frame
from wire.conversation import Channel, Offered
from wire.errors import Reason
from wire.facility import Heartbeat, Role
from wire.frame import GoneRange, Item, Lane, Rejected, SequenceRange, snapshot_epoch
from wire.kinds import Kind
from wire.limits import BODY_BYTES_MAX, GONE_RANGES_MAX
from wire.record import Clock, Equivocation, GapReason, Gone, Quarantined, Unrouted


def test_items_in_order_become_entries_with_their_exact_bytes() -> None:
    store = Store()
    sent = [item(1), item(2), item(3)]
    admission = store.admit(frame(*sent))
    assert [(e.source, e.epoch, e.sequence, e.body) for e in admission.entries] == [
        (SOURCE, EPOCH, sent.sequence, bytes(sent.body)) for sent in sent
    ]
    assert (admission.view.mark, admission.accepted, admission.decisions) == (3, 3, [])


def test_a_resend_stores_nothing_and_says_repeat() -> None:
    store = Store()
    store.admit(frame(item(1), item(2)))
    again = store.admit(frame(item(1), item(2), item(3)))
    assert [entry.sequence for entry in again.entries] == [3]
    assert outcomes(again) == [(1, Outcome.REPEAT), (2, Outcome.REPEAT)]
    assert again.rejected == []


def test_a_finished_epoch_told_again_adds_nothing_when_all_of_it_is_there() -> None:
    store = Store()
    store.admit(frame(item(1), item(2), item(3)))
    again = store.admit(frame(base=4))
    assert (again.entries, again.gaps, again.wanted, again.view.mark) == ([], [], [], 3)


def test_a_finished_epoch_told_again_declares_exactly_what_an_older_ledger_lacks() -> None:
    store = Store()
    store.admit(frame(item(1), item(3)))
    again = store.admit(frame(base=6))
    assert [(gap.first, gap.last, gap.reason) for gap in again.gaps] == [
        (2, 2, GapReason.OUTBOX_LOST),
        (4, 5, GapReason.OUTBOX_LOST),
    ]
    assert (again.wanted, again.view.mark) == ([], 5)
    assert store.admit(frame(base=6)).entries == []


def test_another_body_under_a_taken_key_is_kept_and_reported_however_often_it_comes() -> None:
    store = Store()
    store.admit(frame(item(1, turn("first"))))
    second = store.admit(frame(item(1, turn("second"))))
    assert outcomes(second) == [(1, Outcome.EQUIVOCATION)]
    assert second.rejected == [Rejected(1, Reason.EQUIVOCATION)]
    (entry,) = second.entries
    kept = body_of(entry)
    assert isinstance(kept, Equivocation)
    assert (kept.about_source, kept.about_epoch, kept.about_sequence) == (SOURCE, EPOCH, 1)
    assert kept.raw == encode_body(turn("second"))
    third = store.admit(frame(item(1, turn("second"))))
    assert (third.entries, outcomes(third)) == ([], [(1, Outcome.EQUIVOCATION)])


def test_two_bodies_under_one_number_in_one_frame_are_both_kept() -> None:
    admission = Store().admit(frame(item(1, turn("first")), item(1, turn("second")), item(1, turn("first"))))
    assert [entry.kind for entry in admission.entries] == [Kind.AGENT_TURN, Kind.EQUIVOCATION]
    assert admission.rejected == [Rejected(1, Reason.SEQUENCE_REPEATED_IN_FRAME)]
    assert outcomes(admission) == [(1, Outcome.EQUIVOCATION), (1, Outcome.REPEAT)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (raw_item(1, b"\x91\x01"), Reason.BODY_MALFORMED),
        (raw_item(1, b"\xc5\x20\x01" + bytes(BODY_BYTES_MAX + 1)), Reason.BODY_TOO_LARGE),
        (item(1, turn(at=NOW + 1001)), Reason.OCCURRED_IN_FUTURE),
        (item(1, Clock(NOW, 1, "hub", None, True, "")), Reason.FOREIGN_SOURCE),
        (raw_item(1, b"\x90", kind=Kind.DEFINITION), Reason.FOREIGN_SOURCE),
    ],
)
def test_what_cannot_be_taken_is_kept_whole_in_quarantine_and_the_mark_passes(bad: Item, reason: Reason) -> None:
    store = Store()
    admission = store.admit(frame(bad, item(2)))
    kept = body_of(admission.entries[0])
    assert isinstance(kept, Quarantined)
    assert (kept.reason, kept.kind, kept.raw) == (reason, bad.kind, bytes(bad.body))
    assert admission.rejected == [Rejected(1, reason)]
    assert admission.view.mark == 2
    again = store.admit(frame(bad, item(2)))
    assert again.entries == []
    assert again.rejected == [Rejected(1, reason)], "the answer is the same for a sender that missed the first"


def test_an_event_a_little_ahead_of_the_hub_is_taken() -> None:
    assert Store().admit(frame(item(1, turn(at=NOW + 1000)))).accepted == 1


def test_what_is_older_than_the_bound_is_put_aside_where_there_is_one() -> None:
    bounded = Store(rules=RULES._replace(past_tolerance_ms=400))
    told = frame(item(1, turn(at=NOW - 400)), item(2, turn(at=NOW - 401)), item(3, turn(at=NOW // 1000)))
    assert [(each.sequence, each.reason) for each in bounded.admit(told).rejected] == [
        (2, Reason.OCCURRED_LONG_AGO),
        (3, Reason.OCCURRED_LONG_AGO),
    ]
    assert Store().admit(told).accepted == 3


def test_unknown_kinds_and_versions_are_stored_as_they_came() -> None:
    admission = Store().admit(frame(raw_item(1, b"\xc0", kind=999), raw_item(2, b"\x2a", kind_version=7)))
    assert [(e.kind, e.kind_version, e.body) for e in admission.entries] == [(999, 1, b"\xc0"), (21, 7, b"\x2a")]


@pytest.mark.parametrize("lane", [Lane.BACKLOG, Lane.SNAPSHOT])
def test_items_without_a_number_are_put_aside_each_by_itself_and_once(lane: Lane) -> None:
    store = Store()
    nameless = [item(0, turn("a")), item(0, turn("b"))]
    ours = [Rejected(keys.content_sequence(each), Reason.ROW_MALFORMED) for each in nameless]
    told = store.admit(frame(nameless[0], item(1), *nameless, base=1, lane=lane))
    assert (told.rejected, told.view.mark) == ([ours[0], ours[0], ours[1]], 1)
    assert len(store.entries) == 3
    assert [outcome for _, outcome in outcomes(store.admit(frame(*nameless, lane=lane)))] == [Outcome.REPEAT] * 2
    assert len(store.entries) == 3


def test_an_item_without_a_number_is_not_below_the_lowest_one_held() -> None:
    store = Store()
    assert store.admit(decode_frame(encode_frame(frame(item(5), item(0), base=5)))).view.mark == 5


def test_a_probe_speaks_of_the_site_it_stands_in_and_of_no_other() -> None:
    here, there = _heartbeat("a"), _heartbeat("b")
    admission = Store().admit(frame(item(1, here), item(2, there), item(3, here)), site="a")
    assert outcomes(admission) == [(2, Outcome.QUARANTINED)]
    assert [(each.sequence, each.reason) for each in admission.rejected] == [(2, Reason.FOREIGN_SOURCE)]
    assert Store().admit(frame(item(1, here), item(2, there))).rejected == [], "a source of no site is not held to one"


@pytest.mark.parametrize("kind", [Kind.OFFERED, Kind.CUSTOMER_TURN, Kind.AGENT_TURN, Kind.PLATFORM_FIGURES, 31])
def test_a_probe_tells_of_no_conversation(kind: int) -> None:
    said = raw_item(1, bytes(item(1).body), kind=kind)
    admission = Store().admit(frame(said, item(2, _heartbeat("a"))), site="a")
    assert admission.rejected == [Rejected(1, Reason.FOREIGN_SOURCE)]
    kept = body_of(admission.entries[0])
    assert isinstance(kept, Quarantined)
    assert (kept.kind, kept.raw) == (kind, bytes(said.body))
    assert (admission.accepted, admission.view.mark) == (1, 2)


def _heartbeat(site: str) -> Heartbeat:
    return Heartbeat(NOW, 1, SOURCE, None, True, "", site, "", Role.GATEWAY, 5000, 0)


# ------------------------------------------------------------------------------------------------------------- holes


def test_an_undeclared_hole_is_waited_for_and_asked_for() -> None:
    store = Store()
    admission = store.admit(frame(item(1), item(4), item(6)))
    assert admission.view.mark == 1
    assert admission.wanted == [SequenceRange(2, 3), SequenceRange(5, 5)]
    assert store.admit(frame(item(2), item(3), item(5))).view.mark == 6


def test_a_declared_hole_becomes_a_gap_entry_and_the_mark_passes() -> None:
    store = Store()
    declared = GoneRange(2, 4, "heartbeat", 2, GapReason.OVERFLOW)
    admission = store.admit(frame(item(1), item(5), gone=[declared]))
    assert (admission.view.mark, admission.wanted, admission.gaps) == (5, [], [declared])
    gap = body_of(admission.entries[-1])
    assert isinstance(gap, Gone)
    assert (gap.first, gap.last, gap.drop_class, gap.count) == (2, 4, "heartbeat", 2)
    again = store.admit(frame(item(6), base=6, gone=[declared]))
    assert [entry.sequence for entry in again.entries] == [6]


def test_a_base_beyond_the_mark_declares_what_fell_out_without_a_word() -> None:
    store = Store()
    admission = store.admit(frame(item(9), base=9, gone=[GoneRange(3, 5, "presence", 3)]))
    assert admission.view.mark == 9
    assert [(g.first, g.last, g.reason) for g in admission.gaps] == [
        (3, 5, GapReason.OVERFLOW),
        (1, 2, GapReason.OUTBOX_LOST),
        (6, 8, GapReason.OUTBOX_LOST),
    ]


def test_a_gap_leaves_out_what_came_after_all() -> None:
    store = Store()
    store.admit(frame(item(1), item(4)))
    admission = store.admit(frame(gone=[GoneRange(2, 6, "x", 5)]))
    assert [(g.first, g.last, g.count) for g in admission.gaps] == [(2, 3, 2), (5, 6, 2)]
    assert admission.view.mark == 6


def test_what_was_declared_gone_and_comes_late_is_kept() -> None:
    store = Store()
    store.admit(frame(item(3), base=3))
    late = store.admit(frame(item(1), item(2)))
    assert outcomes(late) == [(1, Outcome.FILLED), (2, Outcome.FILLED)]
    assert late.view.mark == 3
    assert late.accepted == 0


def test_a_gap_that_an_earlier_run_stored_is_not_stored_again_only_its_longer_part() -> None:
    store = Store()
    store.admit(frame(item(1), gone=[GoneRange(5, 7, "x", 3)]))
    store.views[EPOCH] = store.views[EPOCH]._replace(beyond=())  # a restart forgets gaps beyond the mark
    admission = store.admit(frame(gone=[GoneRange(5, 9, "x", 5)]))
    assert [(g.first, g.last) for g in admission.gaps] == [(8, 9)]
    assert admission.view.beyond == ((5, 9),)


def test_a_stream_with_too_many_holes_takes_only_what_fills_the_first() -> None:
    store = Store(rules=Rules(future_tolerance_ms=0, holes_max=2))
    admission = store.admit(frame(item(3), item(5), item(7)))
    assert outcomes(admission) == [(7, Outcome.POSTPONED)]
    assert store.admit(frame(item(1), item(2), item(7))).view.beyond == ((5, 5), (7, 7))


def test_naming_the_epoch_before_declares_nothing_but_asks_for_what_is_missing_of_it() -> None:
    store = Store()
    old, new = b"o" * 16, b"n" * 16
    store.admit(frame(item(1), item(2), epoch=old))
    admission = store.admit(frame(item(1), epoch=new, prev=(old, 5)))
    assert admission.prev_wanted == [SequenceRange(3, 5)]
    assert admission.gaps == []
    store.admit(frame(item(4), epoch=old))
    asked = store.admit(frame(item(2), epoch=new, prev=(old, 5))).prev_wanted
    assert asked == [SequenceRange(3, 3), SequenceRange(5, 5)]
    store.admit(frame(item(3), epoch=old, base=6))
    assert store.admit(frame(item(3), epoch=new, prev=(old, 5))).prev_wanted == []


def test_an_epoch_before_of_which_nothing_came_is_asked_for_from_its_start() -> None:
    admission = Store().admit(frame(item(1), prev=(b"o" * 16, 2)))
    assert admission.prev_wanted == [SequenceRange(1, 2)]


def test_no_more_holes_are_asked_for_than_an_acknowledgement_may_name() -> None:
    store = Store()
    store.admit(frame(*(item(2 * n) for n in range(1, 100)), epoch=b"o" * 16))
    asked = store.admit(frame(item(1), prev=(b"o" * 16, 200))).prev_wanted
    assert (len(asked), asked[0]) == (GONE_RANGES_MAX, SequenceRange(1, 1))


# ------------------------------------------------------------------------------------------------------- other lanes


def test_the_snapshot_lane_has_its_own_epoch_and_the_newest_wins() -> None:
    store = Store()
    store.admit(frame(item(1), item(2)))
    now = store.admit(frame(item(7), lane=Lane.SNAPSHOT))
    assert (now.epoch, now.view.mark, now.wanted) == (snapshot_epoch(EPOCH), 7, [])
    assert now.entries[0].epoch == snapshot_epoch(EPOCH)
    old = store.admit(frame(item(4), item(7), lane=Lane.SNAPSHOT, base=50))
    assert (old.entries, old.view.mark) == ([], 7)
    assert outcomes(old) == [(4, Outcome.SUPERSEDED), (7, Outcome.REPEAT)]
    assert store.views[EPOCH].mark == 2


def test_an_event_id_gives_the_key_and_a_duplicate_adds_nothing() -> None:
    store = Store()
    first = store.admit(frame(item(0, turn(), event_id="delivery-1"), lane=Lane.BY_EVENT_ID))
    (entry,) = first.entries
    assert (entry.epoch, entry.sequence) == (keys.event_id_epoch(SOURCE), keys.event_id_sequence("delivery-1"))
    again = store.admit(frame(item(9, turn(), event_id="delivery-1"), lane=Lane.BY_EVENT_ID, epoch=b"x" * 16))
    assert (again.entries, again.view.mark) == ([], 0)
    other = store.admit(frame(item(0, turn("other"), event_id="delivery-1"), lane=Lane.BY_EVENT_ID))
    assert outcomes(other) == [(keys.event_id_sequence("delivery-1"), Outcome.EQUIVOCATION)]


def test_an_item_without_an_event_id_is_quarantined_and_does_not_stand_in_the_way_of_the_next() -> None:
    store = Store()
    lost = store.admit(frame(item(0, turn("a")), item(0, turn("b")), lane=Lane.BY_EVENT_ID))
    assert [decision.reason for decision in lost.decisions] == [Reason.ROW_MALFORMED] * 2
    assert len({entry.sequence for entry in lost.entries}) == 2


# -------------------------------------------------------------------------------------------------------- unrouted


def _offered(queue: str) -> Offered:
    return Offered(NOW, 1, SOURCE, None, True, "c-1", "c-1", queue, Channel.CHAT)


def test_a_queue_of_no_contract_goes_to_the_operator_and_leaves_only_its_place_here() -> None:
    store = Store()
    queues = frozenset({"shop-a"})
    admission = store.admit(frame(item(1, _offered("shop-b")), item(2, _offered("shop-a"))), queues=queues)
    assert admission.view.mark == 2
    assert admission.rejected == [Rejected(1, Reason.UNROUTED_QUEUE)]
    place, stray = body_of(admission.entries[0]), body_of(admission.unrouted[0])
    assert isinstance(place, Quarantined)
    assert place.raw == b"", "another client's event never stands in this client's ledger"
    assert isinstance(stray, Unrouted)
    assert (stray.queue, stray.raw) == ("shop-b", encode_body(_offered("shop-b")))
    assert admission.unrouted[0].source == keys.UNROUTED

    again = store.admit(frame(item(1, _offered("shop-b"))), queues=queues)
    assert (again.entries, again.unrouted) == ([], [])
    assert again.rejected == [Rejected(1, Reason.UNROUTED_QUEUE)]
    other = store.admit(frame(item(1, _offered("shop-c"))), queues=queues)
    assert outcomes(other) == [(1, Outcome.EQUIVOCATION)]


def test_an_unrouted_event_whose_first_half_was_stored_before_a_crash_is_finished() -> None:
    store = Store()
    queues = frozenset({"shop-a"})
    store.admit(frame(item(1, _offered("shop-b"))), queues=queues)
    store.entries.clear()
    store.views.clear()
    admission = store.admit(frame(item(1, _offered("shop-b"))), queues=queues)
    assert (len(admission.entries), admission.unrouted, admission.view.mark) == (1, [], 1)
