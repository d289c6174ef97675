"""What a frame says of its holes: refused where it cannot be, taken where a source lost a week."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.collector.store import EPOCH, Store, frame, item
from tests.wire.hostile import contradictions
from wire.codec import decode_frame, encode_frame
from wire.errors import DecodeError, Reason
from wire.frame import Frame, GoneRange, Item, Lane
from wire.holes import fault_of
from wire.limits import COUNTED_MAX, GONE_RANGES_MAX

A_WEEK = 7 * 24 * 3600 * 1000
CONTRADICTIONS = dict(contradictions())


@dataclass(frozen=True)
class Told:
    """A frame that is true, by what becomes of each number from 1 on: sent, gone, or left to another frame."""

    fates: list[str]

    def frame(self) -> Frame:
        gone: list[GoneRange] = []
        for number, fate in enumerate(self.fates, 1):
            if fate == "gone" and gone and gone[-1].last == number - 1:
                gone[-1] = GoneRange(gone[-1].first, number, "x", gone[-1].count + 1)
            elif fate == "gone":
                gone.append(GoneRange(number, number, "x", 1))
        sent = [item(number) for number, fate in enumerate(self.fates, 1) if fate == "sent"]
        return frame(*sent, gone=gone[:GONE_RANGES_MAX])


TOLD = st.builds(Told, st.lists(st.sampled_from(["sent", "gone", "elsewhere"]), min_size=1, max_size=30))


@given(TOLD, st.randoms(use_true_random=False))
def test_holes_that_fit_each_other_and_the_items_are_taken_in_any_order(told: Told, random: Random) -> None:
    sent = told.frame()
    random.shuffle(sent.gone)
    random.shuffle(sent.items)
    assert encode_frame(decode_frame(encode_frame(sent))) == encode_frame(sent)


RANGES = st.lists(st.builds(GoneRange, st.integers(0, 12), st.integers(0, 12), st.just("x"), st.integers(0, 12)))


@given(RANGES, st.lists(st.integers(1, 12).map(item), max_size=3), st.integers(0, 12))
def test_what_is_refused_is_exactly_what_cannot_be(gone: list[GoneRange], items: list[Item], base: int) -> None:
    numbers = [number for each in gone for number in range(each.first, each.last + 1)]
    sent = {each.sequence for each in items}
    true = (
        all(1 <= each.first <= each.last and each.count <= each.last - each.first + 1 for each in gone)
        and len(numbers) == len(set(numbers))
        and not sent & set(numbers)
        and not any(number < base for number in sent)
    )
    assert (fault_of(frame(*items, gone=gone, base=base)) is None) is true


@pytest.mark.parametrize("name", [name for name in CONTRADICTIONS if "2^53" not in name and "less" not in name])
def test_a_contradiction_is_named_by_its_place_without_what_was_sent(name: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_frame(encode_frame(CONTRADICTIONS[name]))
    assert refused.value.reason is Reason.NOT_A_FRAME
    assert refused.value.detail.startswith(("at $.gone[", "at $.base:", "at $.items[", "at $.prev_epoch:"))


def test_a_source_that_lost_a_week_and_one_that_comes_to_a_new_ledger_after_years_are_taken() -> None:
    store = Store()
    week = GoneRange(2, 1 + A_WEEK, "heartbeat+sample", A_WEEK)
    admission = store.admit(decode_frame(encode_frame(frame(item(1), item(A_WEEK + 2), gone=[week]))))
    assert (admission.view.mark, admission.gaps) == (A_WEEK + 2, [week])
    told = store.admit(decode_frame(encode_frame(frame(item(COUNTED_MAX), base=COUNTED_MAX, epoch=b"n" * 16))))
    assert told.view.mark == COUNTED_MAX
    assert store.views[EPOCH].mark == A_WEEK + 2


def test_a_hole_at_the_end_is_no_contradiction_for_nothing_follows_what_was_dropped_last() -> None:
    assert fault_of(frame(item(1), gone=[GoneRange(2, 9, "x", 8)])) is None
    assert fault_of(frame(gone=[GoneRange(2, 9, "x", 8)], base=10)) is None


def test_only_the_backlog_has_a_base_for_the_other_lanes_are_not_counted_without_holes() -> None:
    assert fault_of(frame(item(4), item(7), lane=Lane.SNAPSHOT, base=50)) is None
    assert fault_of(frame(item(4), item(7), base=50)) is not None
