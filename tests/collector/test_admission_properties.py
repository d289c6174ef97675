"""Any order, duplicates, declared holes: the mark ends at everything, passes no undeclared hole, never falls."""

from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from collector._core.admission import Rules
from collector._core.sequence import view_of
from tests.collector.store import EPOCH, NOW, Store, frame, item, turn
from wire.frame import Frame, GoneRange, Item

SEQUENCES = 30
FATES = st.lists(st.sampled_from(["kept", "kept", "kept", "gone", "bad"]), min_size=1, max_size=SEQUENCES)


@dataclass(frozen=True)
class Outbox:
    """What a source has for its sequences 1..n: rows, some of them malformed, and holes it declares."""

    fates: list[str]

    @property
    def last(self) -> int:
        return len(self.fates)

    def row(self, sequence: int) -> Item:
        future = NOW + 10**9 if self.fates[sequence - 1] == "bad" else NOW
        return item(sequence, turn(f"c-{sequence}", at=future))

    def kept(self) -> list[int]:
        return [n for n, fate in enumerate(self.fates, 1) if fate != "gone"]

    def gone(self) -> list[GoneRange]:
        return [GoneRange(n, n, "x", 1) for n, fate in enumerate(self.fates, 1) if fate == "gone"]

    def frames(self, random: Random, *, copies: int = 2) -> list[Frame]:
        """Every row at least once, in random company and order, each frame declaring a random part of the holes."""
        rows = self.kept() * copies
        random.shuffle(rows)
        frames = []
        while rows:
            size = random.randint(1, 6)
            now, rows = rows[:size], rows[size:]
            now = sorted(now) if random.random() < 0.5 else now
            declared = [gone for gone in self.gone() if random.random() < 0.3]
            frames.append(frame(*map(self.row, now), gone=declared))
        frames.append(frame(gone=self.gone()))
        random.shuffle(frames)
        return frames


@given(FATES, st.randoms(use_true_random=False))
def test_any_interleaving_ends_with_the_mark_at_everything(fates: list[str], random: Random) -> None:
    outbox, store = Outbox(fates), Store()
    for sent in outbox.frames(random):
        store.admit(sent)
    assert store.views[EPOCH].mark == outbox.last
    assert store.views[EPOCH].beyond == ()
    kept = {e.sequence for e in store.entries.values() if e.epoch == EPOCH}
    assert kept == set(outbox.kept()), "each row is stored exactly once (the store refuses a key taken twice)"
    assert store.settled() == set(range(1, outbox.last + 1))


@given(FATES, st.randoms(use_true_random=False))
def test_the_mark_never_passes_an_undeclared_hole_and_never_falls(fates: list[str], random: Random) -> None:
    outbox, store, reached = Outbox(fates), Store(), 0
    for sent in outbox.frames(random):
        mark = store.admit(sent).view.mark
        assert set(range(1, mark + 1)) <= store.settled()
        assert mark >= reached
        reached = mark


@given(FATES, st.randoms(use_true_random=False))
def test_what_is_wanted_is_exactly_what_is_neither_there_nor_declared(fates: list[str], random: Random) -> None:
    outbox, store = Outbox(fates), Store()
    for sent in outbox.frames(random):
        admission = store.admit(sent)
        wanted = {n for span in admission.wanted for n in range(span.first, span.last + 1)}
        settled = store.settled()
        assert wanted == set(range(1, max(settled, default=0) + 1)) - settled


@given(FATES, st.randoms(use_true_random=False))
def test_a_restart_between_any_two_frames_changes_nothing_in_the_end(fates: list[str], random: Random) -> None:
    outbox, store = Outbox(fates), Store()
    for sent in outbox.frames(random):
        store.admit(sent)
        if random.random() < 0.3:
            mark = store.views[EPOCH].mark
            single = {e.sequence for e in store.entries.values() if e.epoch == EPOCH and e.sequence > mark}
            store.views[EPOCH] = view_of(mark, single)
    store.admit(frame(gone=outbox.gone()))
    assert store.views[EPOCH].mark == outbox.last
    assert len(store.gaps()) == len(outbox.gone())


@given(FATES, st.randoms(use_true_random=False), st.integers(1, 3))
def test_few_holes_allowed_only_means_more_resends(fates: list[str], random: Random, holes_max: int) -> None:
    outbox = Outbox(fates)
    store = Store(rules=Rules(future_tolerance_ms=1000, holes_max=holes_max))
    for sent in outbox.frames(random):
        store.admit(sent)
        assert len(store.views[EPOCH].beyond) <= holes_max + len(outbox.gone())
    for sequence in outbox.kept():
        store.admit(frame(outbox.row(sequence), gone=outbox.gone()))
    assert store.views[EPOCH].mark == outbox.last


@given(FATES, st.randoms(use_true_random=False))
def test_base_alone_declares_every_row_that_is_no_longer_held(fates: list[str], random: Random) -> None:
    outbox, store = Outbox(fates), Store()
    sent = [outbox.row(n) for n in outbox.kept() if random.random() < 0.6]
    store.admit(frame(*sent))
    admission = store.admit(frame(base=outbox.last + 1))
    assert admission.view.mark == max(outbox.last, *(i.sequence for i in sent), 0)
    assert store.settled() == set(range(1, outbox.last + 1))
