"""Calls of an Asterisk queue_log, row by row in the order of the file: what each row adds to the record.

A call that enters while somebody talks may be an agent asking a colleague before handing over, logged under an id of
its own until the transfer. So it is told only when the next row about it says whose call it is: the numbers of events
depend on the rows before them alone, and a longer file keeps them.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from typing import Final

import msgspec

from collector.importers._core.queue_log import FORMAT, SECOND_MS, CallEvent, LogRow, Note
from collector.importers._core.queue_log import Call as Does
from wire.body import Body
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Channel,
    Closed,
    ClosedBy,
    CustomerLeft,
    Direction,
    LeftReason,
    Offered,
    Queued,
    SourceNote,
    Transferred,
)

Ring = tuple[int, int, str, str]
"""From, until (ms), the account that was rung and the event that said so."""


class _Call(msgspec.Struct, eq=False):
    """A call that is in a queue or in hands. Instants in ms.

    keys: under which it is found, its own first. entered_at: as the log told it. offered_at: from when it waits there
    as a matter of record, later than that where it was a colleague who waited at first. last_at: of the last event
    told. held: nothing of it was told yet. rings: phones that rang in vain, not told yet.
    """

    conversation: str
    queue: str
    keys: list[tuple[str, str]]
    entered_at: int
    offered_at: int
    last_at: int
    resolution_ms: int
    held: bool
    answered_at: int | None = None
    account: str = ""
    rings: list[Ring] = []


def _entered(key: tuple[str, str], at: int, resolution_ms: int, *, held: bool) -> _Call:
    return _Call(*key, [key], at, at, at, resolution_ms, held)


class CallsState(msgspec.Struct, frozen=True):
    """What the rows so far left open, to go on from in another run. open, talking: keys and places in `calls`.

    handed_at: when those of `were_in_hands` that were handed over last were (ms).
    """

    calls: list[_Call]
    open: list[tuple[tuple[str, str], int]]
    talking: list[tuple[tuple[str, str], int]]
    were_in_hands: list[str]
    handed_at: dict[str, int] = {}


class Calls:
    """All calls that the log left open so far. note(what): called for what is odd about the row at hand.

    ids_remembered: how many open calls are kept, and how many that were in hands are known again in another queue.
    """

    def __init__(self, note: Callable[[Note], None], ids_remembered: int) -> None:
        self._note = note
        self._ids_remembered = ids_remembered
        self._open: dict[tuple[str, str], _Call] = {}
        self._talking: dict[tuple[str, str], _Call] = {}
        self._were_in_hands: OrderedDict[str, int] = OrderedDict()
        """When each was last handed over (ms), 0 for never."""
        self._does: Final = {
            Does.ENTERS: self._enters,
            Does.TURNED_AWAY: self._turned_away,
            Does.RINGS: self._rings,
            Does.CONNECTS: self._connects,
            Does.LEAVES: self._leaves,
            Does.COMPLETES: self._completes,
            Does.TRANSFERS: self._transfers,
            Does.OUTBOUND: self._outbound,
        }

    def state(self) -> CallsState:
        """Everything a further row may be about."""
        calls = list(dict.fromkeys(self._open.values()))
        place = {call: number for number, call in enumerate(calls)}
        return CallsState(
            calls,
            [(key, place[call]) for key, call in self._open.items()],
            [(key, place[call]) for key, call in self._talking.items()],
            list(self._were_in_hands),
            {conversation: at for conversation, at in self._were_in_hands.items() if at},
        )

    def restore(self, state: CallsState) -> None:
        """Go on from there."""
        self._open = {key: state.calls[number] for key, number in state.open}
        self._talking = {key: state.calls[number] for key, number in state.talking}
        self._were_in_hands = OrderedDict((one, state.handed_at.get(one, 0)) for one in state.were_in_hands)

    @property
    def waiting(self) -> int:
        """Calls of which nothing was told yet, because no row says yet whose they are."""
        return len({call for call in self._open.values() if call.held})

    def take(self, row: LogRow, event: CallEvent) -> list[Body]:
        """What a row about a call adds to the record."""
        return list(self._does[event.does](row, event))

    def cut_off(self, at: int) -> Iterator[Body]:
        """The exchange was started anew; `at` is the last it told before. Nobody knows how the open calls ended."""
        for call in dict.fromkeys(self._open.values()):
            yield from self._told(call)
            yield from self._legs(call, None)
            yield Closed(max(at, call.last_at), *_head(call), call.conversation, ClosedBy.SYSTEM)
        self._open.clear()
        self._talking.clear()

    # ------------------------------------------------------------------------------------------------------ events

    def _enters(self, row: LogRow, _: CallEvent) -> Iterator[Body]:
        key = (row.call, row.queue)
        before = self._open.get(key)
        if before is not None:
            self._note(Note.ENTERED_TWICE)
            yield from self._told(before)
            self._forget(before)
        if len(self._open) >= self._ids_remembered:  # a log that never says how its calls end
            oldest = next(iter(self._open.values()))
            yield from self._told(oldest)
            self._forget(oldest)
        call = self._open[key] = _entered(key, row.at, row.resolution_ms, held=True)
        if not self._talking:
            yield from self._told(call)

    def _turned_away(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """It never entered, unless the log says it had."""
        call = self._open.get((row.call, row.queue))
        if call is None:
            call = _entered((row.call, row.queue), row.at, row.resolution_ms, held=True)
        yield from self._left(call, row, event)

    def _rings(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """A phone rang in vain. Whether it was the only one that rang is known by the next row that ends the wait."""
        call = self._open.get((row.call, row.queue))
        if call is None or call.answered_at is not None or not row.account:
            head = (row.resolution_ms, FORMAT, None, False, row.call)
            yield SourceNote(row.at, *head, row.event, row.call, row.queue, row.account)
            return
        rang_ms = row.duration(event.ring, event.ring_unit_ms) or 0
        call.rings.append((row.at - rang_ms, row.at, row.account, row.event))

    def _connects(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        wait_ms = row.seconds(event.wait)
        call = self._find(row, wait_ms, 0)
        yield from self._told(call)
        yield from self._answered(call, row, self._moment(call, call.entered_at, row.at, wait_ms), event)

    def _leaves(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        yield from self._left(self._find(row, row.seconds(event.wait), 0), row, event)

    def _completes(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        call = yield from self._in_hands(row, event)
        ended_at = self._moment(call, call.answered_at or call.last_at, row.at, row.seconds(event.talk))
        yield Closed(ended_at, *_head(call), call.conversation, event.by)
        self._forget(call)

    def _transfers(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """Where it went, another queue says if it was one; with this leg it is over."""
        call = yield from self._in_hands(row, event)
        handed_at = self._moment(call, call.answered_at or call.last_at, row.at, row.seconds(event.talk))
        yield from self._handed_over(call, handed_at)
        asked = [other for (name, _), other in self._open.items() if name == row.call and other.held]
        if row.call != call.conversation:
            self._note(Note.JOINED)
            for other in asked:
                self._join(other, call.conversation, handed_at)

    def _outbound(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """We rang a customer, told when it was over."""
        began_at = row.at - (row.seconds(event.talk) or 0)
        call = _entered((row.call, row.queue), began_at, row.resolution_ms, held=False)
        head = (*_head(call), row.call)
        yield Offered(began_at, *head, row.queue, Channel.VOICE, Direction.OUTBOUND)
        if row.account:
            yield Assigned(began_at, *head, row.account, row.queue)
        yield Closed(row.at, *head, ClosedBy.SYSTEM)

    # ------------------------------------------------------------------------------------------------------- calls

    def _find(self, row: LogRow, wait_ms: int | None, talk_ms: int) -> _Call:
        """The call a row is about: by its id, by a transfer, or reckoned back from the wait the row tells."""
        call = self._open.get((row.call, row.queue))
        if call is not None:
            return call
        entered_at = max(row.at - (wait_ms or 0) - talk_ms, 0)
        call = self._handed_in(row, entered_at)
        if call is not None:
            return call
        self._note(Note.ENTRY_NOT_TOLD)
        key = (row.call, row.queue)
        call = self._open[key] = _entered(key, entered_at, row.resolution_ms, held=True)
        return call

    def _handed_in(self, row: LogRow, entered_at: int) -> _Call | None:
        """A call that was in hands turns up in a queue it never entered: the one who entered there then is it."""
        if row.call not in self._were_in_hands:
            return None
        asked = [
            call
            for (_, queue), call in self._open.items()
            if queue == row.queue and call.held and abs(call.entered_at - entered_at) <= SECOND_MS
        ]
        if not asked:
            return None
        call = min(asked, key=lambda one: abs(one.entered_at - entered_at))
        self._note(Note.JOINED)
        self._join(call, row.call, self._were_in_hands[row.call])
        return call

    def _join(self, call: _Call, conversation: str, handed_at: int) -> None:
        """A call that nothing was told of yet turns out to be a further leg of `conversation`."""
        call.conversation = conversation
        call.offered_at = call.last_at = max(call.entered_at, handed_at)
        key = (conversation, call.queue)
        if key not in self._open:
            call.keys.append(key)
            self._open[key] = call

    def _in_hands(self, row: LogRow, event: CallEvent) -> Generator[Body, None, _Call]:
        """The call somebody had in hands; after a transfer its rows come under the other of its ids."""
        wait_ms, talk_ms = row.seconds(event.wait), row.seconds(event.talk)
        call = self._open.get((row.call, row.queue))
        if call is None:
            held = self._talking.get((row.queue, row.account))
            began_at = row.at - (talk_ms or 0)
            if held is not None and held.answered_at is not None and abs(held.answered_at - began_at) <= SECOND_MS:
                if event.does is Does.COMPLETES:
                    self._note(Note.JOINED)
                return held
        call = self._find(row, wait_ms, talk_ms or 0)
        yield from self._told(call)
        if call.answered_at is None:
            answered_at = call.last_at if wait_ms is None else max(call.last_at, call.entered_at + wait_ms)
            yield from self._answered(call, row, answered_at, CallEvent(event.does))
        return call

    def _told(self, call: _Call) -> Iterator[Body]:
        """The beginning of a call, where it was not told yet."""
        if call.held:
            call.held = False
            yield from self._still_in_hands(call)
            head = (*_head(call), call.conversation, call.queue)
            yield Offered(call.offered_at, *head, Channel.VOICE, Direction.INBOUND)
            yield Queued(call.offered_at, *head)

    def _still_in_hands(self, call: _Call) -> Iterator[Body]:
        """The same conversation in other hands, though no transfer was told: it was one all the same."""
        for other in [one for one in self._talking.values() if one.conversation == call.conversation]:
            if other is not call:
                self._note(Note.TRANSFER_NOT_TOLD)
                yield from self._handed_over(other, max(other.last_at, call.entered_at))
                call.offered_at = call.last_at = max(call.offered_at, other.last_at)

    def _handed_over(self, call: _Call, at: int) -> Iterator[Body]:
        call.last_at = max(call.last_at, at)
        self._remember(call.conversation, call.last_at)
        yield Transferred(call.last_at, *_head(call), call.conversation)
        yield Closed(call.last_at, *_head(call), call.conversation, ClosedBy.AGENT)
        self._forget(call)

    def _answered(self, call: _Call, row: LogRow, at: int, event: CallEvent) -> Iterator[Body]:
        rings_at = max(at - (row.duration(event.ring, event.ring_unit_ms) or 0), call.offered_at)
        yield from self._legs(call, rings_at)
        head = (*_head(call), call.conversation)
        call.account, call.answered_at, call.last_at = row.account, at, at
        if row.account:
            yield Assigned(rings_at, *head, row.account, call.queue)
            yield Accepted(at, *head, row.account)
        yield AgentTurn(at, *head, row.account)
        self._talking[call.queue, row.account] = call
        self._remember(call.conversation, self._were_in_hands.get(call.conversation, 0))

    def _remember(self, conversation: str, handed_at: int) -> None:
        """Know it again in another queue."""
        self._were_in_hands[conversation] = handed_at
        if len(self._were_in_hands) > self._ids_remembered:
            self._were_in_hands.popitem(last=False)

    def _left(self, call: _Call, row: LogRow, event: CallEvent) -> Iterator[Body]:
        yield from self._told(call)
        left_at = self._moment(call, call.entered_at, row.at, row.seconds(event.wait))
        yield from self._legs(call, None)
        left_at = max(left_at, call.last_at)
        head = (*_head(call), call.conversation)
        if call.answered_at is not None or event.left is None:
            by_caller = event.left is LeftReason.HUNG_UP
            yield Closed(left_at, *head, ClosedBy.CUSTOMER if by_caller else ClosedBy.SYSTEM)
        else:
            yield CustomerLeft(left_at, *head, event.left)
        self._forget(call)

    def _legs(self, call: _Call, answered_ring_at: int | None) -> Iterator[Body]:
        """The times it rang in vain, one after the other. A record has a conversation in one person's hands at a time.

        So of phones that ring together the one that is answered counts, and of those that nobody answers the first.
        """
        head = (*_head(call), call.conversation)
        after = call.offered_at
        for began_at, ended_at, account, event in call.rings:
            started_at, until = max(began_at, after), ended_at
            if answered_ring_at is not None and until <= answered_ring_at + SECOND_MS:
                until = min(until, answered_ring_at)  # one after the other, as far as whole seconds tell
            if until < started_at or (answered_ring_at is not None and until > answered_ring_at):
                self._note(Note.RANG_TOGETHER)
                yield SourceNote(
                    max(until, call.offered_at), *_head(call), event, call.conversation, call.queue, account
                )
                continue
            yield Assigned(started_at, *head, account, call.queue)
            yield Queued(until, *head, call.queue)
            after = call.last_at = until
        call.rings = []

    def _moment(self, call: _Call, since: int, told_at: int, told_ms: int | None) -> int:
        """When it happened: as the row's time says, unless the length the exchange measured itself says otherwise."""
        lasted = told_at - since
        if told_ms is not None and abs(lasted - told_ms) >= SECOND_MS:
            if abs(lasted - told_ms) > SECOND_MS:
                self._note(Note.WAIT_CONTRADICTS)
            told_at = since + told_ms
        elif lasted < 0:
            self._note(Note.STEPPED_BACK)
        return max(told_at, call.last_at)

    def _forget(self, call: _Call) -> None:
        for key in call.keys:
            if self._open.get(key) is call:
                del self._open[key]
        if self._talking.get((call.queue, call.account)) is call:
            del self._talking[call.queue, call.account]


def _head(call: _Call) -> tuple[int, str, None, bool, str]:
    return call.resolution_ms, FORMAT, None, False, call.conversation
