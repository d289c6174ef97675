import msgspec
import pytest

from sla_engine._core.definition import label_of
from sla_engine._core.engine import (
    LiveConversation,
    SnapshotUnreadable,
    live,
    new_shard,
    open_conversations,
    restore,
    shard_of,
    snapshot,
    step,
)
from tests.builders import (
    PRESET,
    Event,
    Play,
    agent,
    assigned,
    closed,
    customer,
    entries,
    left,
    ms,
    offered,
    rules,
    transcript,
)


def seen(*events: Event) -> LiveConversation:
    held = live(transcript(*events, settled=False).shard, "c1")
    assert held is not None
    return held


def test_a_conversation_that_waits_says_since_when_and_until_when() -> None:
    held = seen(customer("09:00:00"), assigned("09:00:03"))
    assert (held.waiting_since, held.due_at) == (ms("09:00:00"), ms("09:00:10"))
    assert held.dues == ((label_of(PRESET), ms("09:00:10")),)
    assert (held.queue, held.account, held.open, held.excluded) == ("presale", "anna", True, False)


def test_once_answered_nothing_is_due_and_a_new_question_waits_from_its_own_start() -> None:
    answered = [customer("09:00:00"), agent("09:00:05")]
    assert seen(*answered).waiting_since is None
    again = seen(*answered, customer("09:01"))
    assert (again.waiting_since, again.due_at) == (ms("09:01"), None)


def test_an_ended_conversation_is_no_longer_open() -> None:
    for end in (closed("09:00:05"), left("09:00:05")):
        held = seen(offered("09:00:00"), end)
        assert (held.open, held.waiting_since, held.due_at, held.account) == (False, None, None, "")


def test_out_of_hours_a_customer_waits_and_nothing_is_due() -> None:
    held = seen(customer("07:00:00"))
    assert (held.waiting_since, held.due_at, held.excluded) == (ms("07:00:00"), None, True)


def test_what_was_never_heard_of_is_none() -> None:
    play: Play = transcript(customer("09:00:00"), settled=False)
    assert live(play.shard, "c2") is None
    assert list(open_conversations(play.shard)) == ["c1"]


def test_a_shard_key_decides_the_shard() -> None:
    assert shard_of("", 8) == 0xE3B0C44298FC1C14 % 8, "SHA-256 of nothing begins with these bytes"
    whole = entries([*rules(), *(customer("09:00:00", c=f"c{number}") for number in range(50))])
    shards = [new_shard(number, 4) for number in range(4)]
    for shard in shards:
        step(shard, whole, 0)
    held = [set(open_conversations(shard)) for shard in shards]
    assert all(held)
    assert sum(map(len, held)) == 50
    assert held[shard_of("c7", 4)] >= {"c7"}


def test_a_snapshot_that_cannot_be_read_is_refused() -> None:
    data = snapshot(new_shard())
    other = msgspec.msgpack.encode({**msgspec.msgpack.decode(data), "version": 1})
    for unreadable in (b"", data[:-1], b"\xc1", other):
        with pytest.raises(SnapshotUnreadable):
            restore(unreadable)
