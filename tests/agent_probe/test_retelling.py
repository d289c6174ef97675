"""A hub that was started anew is told again of what was finished: its ledger may be an older copy."""

import msgspec

from agent_probe._core.epochs import META_VERSION, Meta
from agent_probe._core.outbox import Outbox
from agent_probe._core.storage import MemoryStorage
from tests.agent_probe.collector_model import CollectorModel
from tests.agent_probe.outbox_builders import E1, E2, E3, LIMITS, ack, fill, frames, outbox
from wire.frame import Ack, Frame

FIRST_HUB, SECOND_HUB = 1_000, 2_000
RESEND_MS = LIMITS.resend_ms


def finished(storage: MemoryStorage, epoch: bytes, last: int, *, hub: int = FIRST_HUB, **changes: int) -> Outbox:
    """A start of the probe that put `last` events, all of them acknowledged by the hub started at `hub`."""
    box = outbox(storage, epoch, **changes)
    fill(box, last)
    list(frames(box, 0))
    box.acknowledge(ack(epoch, last, started_at=hub), 0)
    return box


def tell(box: Outbox, collector: CollectorModel, hub: int, now: int = 0) -> list[tuple[bytes, int]]:
    """Hand everything due to the hub started at `hub`; the epoch and base of each frame."""
    told = []
    while (frame := box.next_frame(now)) is not None:
        told.append((frame.epoch, frame.base))
        box.acknowledge(msgspec.structs.replace(collector.receive(frame), started_at=hub), now)
    return told


def is_empty(frame: Frame) -> bool:
    return (frame.items, frame.gone, frame.prev_epoch) == ([], [], None)


def snapshot_ack(hub: int) -> Ack:
    """What a hub says about the other lane, whose epoch the outbox does not know."""
    return ack(b"s" * 16, 5, started_at=hub)


def test_a_restored_hub_declares_everything_that_finished_epochs_and_the_present_one_held() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = finished(storage, E2, 2)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    restored = CollectorModel()
    assert tell(box, restored, SECOND_HUB) == [(E1, 4), (E2, 3)]
    assert {epoch: sorted(stream.gone) for epoch, stream in restored.streams.items()} == {E1: [1, 2, 3], E2: [1, 2]}
    assert box.settled


def test_an_outbox_is_not_settled_before_a_new_hub_was_told() -> None:
    box = finished(MemoryStorage(), E1, 3)
    assert box.settled
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    is_settled = box.settled
    assert not is_settled


def test_the_hub_that_acknowledged_everything_is_told_nothing_even_after_a_restart_of_the_probe() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = outbox(storage, E2)
    assert not box.acknowledge(snapshot_ack(FIRST_HUB), 0)
    assert box.next_frame(0) is None
    assert box.next_due(0) is None


def test_a_hub_that_does_not_say_when_it_was_started_is_told_nothing() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3, hub=0)
    box = finished(storage, E2, 1, hub=0)
    assert box.next_frame(0) is None


def test_what_was_not_told_before_a_restart_of_the_probe_is_told_after_it() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = outbox(storage, E2)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    again = outbox(storage, E3)
    again.acknowledge(snapshot_ack(SECOND_HUB), 0)
    assert tell(again, CollectorModel(), SECOND_HUB) == [(E1, 4)]


def test_a_late_acknowledgement_of_the_former_hub_makes_everything_be_told_once_more() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = outbox(storage, E2)
    fill(box, 2)
    list(frames(box, 0))
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    box.acknowledge(ack(E1, 3, started_at=SECOND_HUB), 0)
    box.acknowledge(ack(E2, 2, started_at=FIRST_HUB), 0)  # rows go that the second hub has never seen
    restored = CollectorModel()
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    assert tell(box, restored, SECOND_HUB) == [(E1, 4), (E2, 3)]
    assert sorted(restored.streams[E2].gone) == [1, 2]


def test_only_the_newest_finished_epochs_are_remembered() -> None:
    storage = MemoryStorage()
    epochs = [bytes([n]) * 16 for n in range(1, 8)]
    for epoch in epochs:
        finished(storage, epoch, 1, finished_max=2)
    box = outbox(storage, b"n" * 16, finished_max=2)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    assert tell(box, CollectorModel(), SECOND_HUB) == [(epoch, 2) for epoch in epochs[-2:]]


def test_one_is_out_at_a_time_and_one_without_an_answer_gives_way_to_the_next() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    finished(storage, E2, 2)
    box = outbox(storage, E3)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    (only,) = frames(box, 0)
    assert (only.epoch, is_empty(only)) == (E1, True)
    assert box.next_due(0) == RESEND_MS
    box.acknowledge(ack(E1, 2, started_at=SECOND_HUB), 0)  # of an old frame that was still on its way
    assert [frame.epoch for frame in frames(box, RESEND_MS)] == [E2]
    assert [frame.epoch for frame in frames(box, 2 * RESEND_MS)] == [E1]


def test_after_a_reconnection_it_is_told_at_once() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = outbox(storage, E2)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    assert len(list(frames(box, 0))) == 1
    box.reconnected(1)
    assert [frame.epoch for frame in frames(box, 1)] == [E1]


def test_telling_again_takes_one_place_of_the_window() -> None:
    storage = MemoryStorage()
    finished(storage, E1, 3)
    box = outbox(storage, E2, frame_bytes=1)
    fill(box, 9)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    sent = list(frames(box, 0))
    assert [frame.epoch for frame in sent] == [E1, E2, E2, E2]
    assert box.acknowledge(ack(E1, 3, started_at=SECOND_HUB), 0)
    assert [frame.epoch for frame in frames(box, 0)] == [E2]


def test_meta_of_a_build_that_remembered_one_finished_epoch_is_read() -> None:
    storage = MemoryStorage()
    storage.delete([], msgspec.msgpack.encode([META_VERSION, [], E1, 7]))
    box = outbox(storage, E2)
    box.acknowledge(snapshot_ack(SECOND_HUB), 0)
    assert tell(box, CollectorModel(), SECOND_HUB) == [(E1, 8)]
    kept = msgspec.msgpack.decode(storage.meta() or b"", type=Meta)
    assert (kept.forgotten_epoch, kept.forgotten_last, len(kept.finished)) == (E1, 7, 1)
