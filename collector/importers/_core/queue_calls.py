"""Calls of an Asterisk queue_log, row by row in the order of the file: what each row adds to the record.

A call that enters while somebody talks may be an agent asking a colleague before handing over, logged under an id of
its own until the transfer, and sometimes after it. So it is told only when a row says whose call it is: one that joins
it to the customer's, or the one that ends it. The numbers of events depend on the rows before them alone, and a longer
file keeps them.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from typing import Final

from collector.importers._core.queue_log import (
    SECOND_MS,
    CallEvent,
    LogRow,
    Note,
    is_extension,
    is_extension_of,
)
from collector.importers._core.queue_log import Call as Does
from collector.importers._core.queue_open import (
    CallLimits,
    CallsState,
    Key,
    Meeting,
    OpenCall,
    answer,
    as_note,
    beginning,
    entered,
    handed_over,
    head,
    legs,
    moment,
    went_out,
)
from wire.body import Body
from wire.conversation import (
    Closed,
    ClosedBy,
    CustomerLeft,
    LeftReason,
)


class Calls:
    """All calls that the log left open so far. note(what): called for what is odd about the row at hand."""

    def __init__(self, note: Callable[[Note], None], limits: CallLimits) -> None:
        self._note = note
        self._limits = limits
        self._open: dict[Key, OpenCall] = {}
        self._talking: dict[Key, OpenCall] = {}
        """By queue and account."""
        self._were_in_hands: OrderedDict[str, int] = OrderedDict()
        """When each was last handed over or ended (ms), 0 for never."""
        self._met: dict[str, Meeting] = {}
        """Attended transfers of the last second, by the bridge that both talks went into."""
        self._given_up: OrderedDict[Key, None] = OrderedDict()
        self._does: Final = {
            Does.ENTERS: self._enters,
            Does.TURNED_AWAY: self._turned_away,
            Does.RINGS: self._rings,
            Does.CONNECTS: self._connects,
            Does.LEAVES: self._leaves,
            Does.COMPLETES: self._completes,
            Does.TRANSFERS: self._transfers,
            Does.OUTBOUND: went_out,
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
            dict(self._met),
            list(self._given_up),
        )

    def restore(self, state: CallsState) -> None:
        """Go on from there."""
        self._open = {key: state.calls[number] for key, number in state.open}
        self._talking = {key: state.calls[number] for key, number in state.talking}
        self._were_in_hands = OrderedDict((one, state.handed_at.get(one, 0)) for one in state.were_in_hands)
        self._met = dict(state.met)
        self._given_up = OrderedDict((key, None) for key in state.given_up)

    @property
    def waiting(self) -> int:
        """Calls of which nothing was told yet, because no row says yet whose they are."""
        return len({call for call in self._open.values() if call.held})

    @property
    def unfinished(self) -> int:
        """Calls that were told and have not ended."""
        return len({call for call in self._open.values() if not call.held})

    def take(self, row: LogRow, event: CallEvent) -> list[Body]:
        """What a row about a call adds to the record."""
        key = (row.call, row.queue)
        if event.does is Does.ENTERS:
            self._given_up.pop(key, None)
        elif key in self._given_up and key not in self._open:
            self._note(Note.AFTER_GIVEN_UP)
            return [as_note(row)]
        return list(self._does[event.does](row, event))

    def entered_at(self, row: LogRow) -> int | None:
        """When the call a row names entered (ms), None where it is not open."""
        call = self._open.get((row.call, row.queue))
        return None if call is None else call.entered_at

    def up_to(self, at: int, before: int) -> Iterator[Body]:
        """What time alone decides, before a row of `at` (ms). before: of the row before it.

        One row with a wrong time gives up no call: two in succession have to say how late it is.
        """
        yield from self._parted(at - SECOND_MS)
        while self._open:
            oldest = next(iter(self._open.values()))
            if min(at, before) - oldest.entered_at <= self._limits.call_longest_ms:
                break
            yield from self._give_up(oldest)

    def cut_off(self, at: int) -> Iterator[Body]:
        """The exchange was started anew; `at` is the last it told before. Nobody knows how the open calls ended."""
        yield from self._parted(at + 1)
        for call in dict.fromkeys(self._open.values()):
            if self._open.get(call.keys[0]) is call:
                yield from self._ended_unseen(call, at)
        self._open.clear()
        self._talking.clear()

    def _enters(self, row: LogRow, _: CallEvent) -> Iterator[Body]:
        key = (row.call, row.queue)
        before = self._open.get(key)
        if before is not None:
            self._note(Note.ENTERED_TWICE)
            yield from self._told(before)
            self._forget(before)
        if len(self._open) >= self._limits.ids_remembered:
            yield from self._give_up(next(iter(self._open.values())))
        call = self._open[key] = entered(key, row.at, row.resolution_ms)
        call.may_ask = bool(self._talking) and row.call not in self._were_in_hands
        if not call.may_ask:
            yield from self._told(call)
        elif is_extension(row.caller):
            asking = (talk for (_, account), talk in self._talking.items() if is_extension_of(account, row.caller))
            call.asked_by = next((talk.conversation for talk in asking), "")

    def _turned_away(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """It never entered, unless the log says it had."""
        key = (row.call, row.queue)
        call = self._open.get(key)
        yield from self._left(call or entered(key, row.at, row.resolution_ms), row, event)

    def _rings(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """A phone rang in vain. Whether it was the only one that rang is known by the next row that ends the wait."""
        call = self._open.get((row.call, row.queue))
        if call is None or call.answered_at is not None or not row.account:
            yield as_note(row)
            return
        rang_ms = row.duration(event.ring, event.ring_unit_ms) or 0
        call.rings.append((row.at - rang_ms, row.at, row.account, row.event))

    def _connects(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        wait_ms = row.seconds(event.wait)
        call = self._find(row, wait_ms, 0)
        at = moment(call, call.entered_at, row.at, wait_ms, self._note)
        yield from self._answered(call, row, at, event)
        if not call.may_ask:
            yield from self._told(call)

    def _leaves(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        yield from self._left(self._find(row, row.seconds(event.wait), 0), row, event)

    def _completes(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        call = yield from self._in_hands(row, event)
        yield from self._told(call)
        ended_at = self._talked_until(call, row, event)
        yield Closed(ended_at, *head(call), call.conversation, event.by)
        self._remember(call.conversation, ended_at)
        self._forget(call)

    def _transfers(self, row: LogRow, event: CallEvent) -> Iterator[Body]:
        """Where it went, another queue says if it was one; with this leg it is over."""
        call = yield from self._in_hands(row, event)
        handed_at = self._talked_until(call, row, event)
        met = self._met.pop(row.meeting, None)
        if met is not None:
            yield from self._meet(call, handed_at, met)
            return
        if row.meeting:
            untold = call.keys[0] if call.held else None
            self._met[row.meeting] = Meeting(call.conversation, handed_at, row.at, untold)
            if call.held:  # the customer's or the colleague's: the other talk's row of the same second says so
                self._talking.pop((call.queue, call.account), None)
                return
        yield from self._handed_over(call, handed_at)
        if event.attended:
            yield from self._taken_over(call)
        if row.call != call.conversation:
            self._note(Note.JOINED)
            for other in [one for (name, _), one in self._open.items() if name == row.call and one.held]:
                self._join(other, call.conversation, handed_at)

    def _find(self, row: LogRow, wait_ms: int | None, talk_ms: int) -> OpenCall:
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
        call = self._open[key] = entered(key, entered_at, row.resolution_ms)
        return call

    def _handed_in(self, row: LogRow, entered_at: int) -> OpenCall | None:
        """A call that was in hands turns up in a queue it never entered: the one who entered there then is it."""
        if row.call not in self._were_in_hands:
            return None
        asked = [
            call
            for (_, queue), call in self._open.items()
            if queue == row.queue
            and call.held
            and call.answered_at is None
            and abs(call.entered_at - entered_at) <= SECOND_MS
        ]
        if not asked:
            return None
        call = min(asked, key=lambda one: abs(one.entered_at - entered_at))
        self._join(call, row.call, self._were_in_hands[row.call])
        return call

    def _join(self, call: OpenCall, conversation: str, handed_at: int) -> None:
        """A call that nothing was told of yet turns out to be a further leg of `conversation`."""
        self._note(Note.JOINED)
        call.conversation = conversation
        call.offered_at = call.last_at = max(call.entered_at, handed_at)
        call.may_ask = False
        key = (conversation, call.queue)
        if key not in self._open:
            call.keys.append(key)
            self._open[key] = call

    def _in_hands(self, row: LogRow, event: CallEvent) -> Generator[Body, None, OpenCall]:
        """The call somebody had in hands; after a transfer its rows come under the other of its ids."""
        wait_ms, talk_ms = row.seconds(event.wait), row.seconds(event.talk)
        call = self._open.get((row.call, row.queue))
        if call is None:
            talk = self._talking.get((row.queue, row.account))
            began_at = row.at - (talk_ms or 0)
            if talk is not None and talk.answered_at is not None and abs(talk.answered_at - began_at) <= SECOND_MS:
                if talk.held and row.call in self._were_in_hands:
                    self._join(talk, row.call, self._were_in_hands[row.call])
                elif event.does is Does.COMPLETES:
                    self._note(Note.JOINED)
                return talk
        call = self._find(row, wait_ms, talk_ms or 0)
        if call.answered_at is None:
            answered_at = call.last_at if wait_ms is None else max(call.last_at, call.entered_at + wait_ms)
            yield from self._answered(call, row, answered_at, CallEvent(event.does))
        return call

    def _told(self, call: OpenCall) -> Iterator[Body]:
        """What is known of a call, where nothing of it was told yet."""
        if call.held:
            call.held = False
            yield from self._still_in_hands(call)
            yield from beginning(call)
            if call.answered_at is not None:
                yield from answer(call, self._note)

    def _still_in_hands(self, call: OpenCall) -> Iterator[Body]:
        """The same conversation in other hands, though no transfer was told: it was one all the same."""
        for other in [one for one in self._talking.values() if one.conversation == call.conversation]:
            if other.entered_at < call.entered_at:
                self._note(Note.TRANSFER_NOT_TOLD)
                yield from self._handed_over(other, max(other.last_at, call.entered_at))
                call.offered_at = call.last_at = max(call.offered_at, other.last_at)

    def _handed_over(self, call: OpenCall, at: int) -> Iterator[Body]:
        yield from self._told(call)
        yield from handed_over(call, at)
        self._remember(call.conversation, call.last_at)
        self._forget(call)

    def _taken_over(self, call: OpenCall) -> Iterator[Body]:
        """The colleague who was asked from this very talk has it now."""
        for other in [one for one in self._talking.values() if one.held and one.asked_by == call.conversation]:
            self._join(other, call.conversation, call.last_at)
            yield from self._told(other)

    def _meet(self, call: OpenCall, at: int, met: Meeting) -> Iterator[Body]:
        """Both talks of an attended transfer ended in one bridge. The log says nothing of what follows."""
        other = None if met.untold is None else self._open.get(met.untold)
        if other is not None and other.entered_at < call.entered_at:
            yield from self._handed_over(other, met.at)
            customer, handed_at = other.conversation, met.at
        elif other is not None:
            yield from self._handed_over(call, at)
            customer, handed_at, call, at = call.conversation, at, other, met.at
        else:
            customer, handed_at = met.conversation, met.at
        if call.held:
            self._join(call, customer, handed_at)
        elif call.conversation != customer:
            yield from self._handed_over(call, at)
            return
        self._note(Note.END_NOT_TOLD)
        yield from self._ended_unseen(call, 0)
        self._remember(call.conversation, call.last_at)
        self._forget(call)

    def _parted(self, until: int) -> Iterator[Body]:
        """Attended transfers before `until` (ms) of which no other talk's row came: the call went out of the queues."""
        for name in [name for name, met in self._met.items() if met.told_at < until]:
            met = self._met.pop(name)
            call = None if met.untold is None else self._open.get(met.untold)
            if call is not None:
                yield from self._handed_over(call, met.at)
                yield from self._taken_over(call)

    def _give_up(self, call: OpenCall) -> Iterator[Body]:
        """It ended long ago, and nobody said so: it is taken to have ended where it was last heard of."""
        self._note(Note.END_NOT_TOLD)
        yield from self._ended_unseen(call, 0)
        self._forget(call)
        for key in call.keys:
            self._given_up[key] = None
        while len(self._given_up) > self._limits.ids_remembered:
            self._given_up.popitem(last=False)

    def _ended_unseen(self, call: OpenCall, at: int) -> Iterator[Body]:
        """It ended at `at` or, if that is later, where it was last heard of."""
        yield from self._told(call)
        yield from legs(call, None, self._note)
        yield Closed(max(at, call.last_at), *head(call), call.conversation, ClosedBy.SYSTEM)

    def _answered(self, call: OpenCall, row: LogRow, at: int, event: CallEvent) -> Iterator[Body]:
        call.account, call.answered_at = row.account, at
        call.rings_at = at - (row.duration(event.ring, event.ring_unit_ms) or 0)
        if not call.held:
            yield from answer(call, self._note)
        self._talking[call.queue, row.account] = call
        self._remember(call.conversation, self._were_in_hands.get(call.conversation, 0))

    def _talked_until(self, call: OpenCall, row: LogRow, event: CallEvent) -> int:
        return moment(call, call.answered_at or call.last_at, row.at, row.seconds(event.talk), self._note)

    def _remember(self, conversation: str, handed_at: int) -> None:
        """Know it again in another queue."""
        self._were_in_hands[conversation] = handed_at
        if len(self._were_in_hands) > self._limits.ids_remembered:
            self._were_in_hands.popitem(last=False)

    def _left(self, call: OpenCall, row: LogRow, event: CallEvent) -> Iterator[Body]:
        yield from self._told(call)
        left_at = moment(call, call.entered_at, row.at, row.seconds(event.wait), self._note)
        yield from legs(call, None, self._note)
        left_at = max(left_at, call.last_at)
        begins = (*head(call), call.conversation)
        if call.answered_at is not None or event.left is None:
            by_caller = event.left is LeftReason.HUNG_UP
            yield Closed(left_at, *begins, ClosedBy.CUSTOMER if by_caller else ClosedBy.SYSTEM)
        else:
            yield CustomerLeft(left_at, *begins, event.left)
        self._forget(call)

    def _forget(self, call: OpenCall) -> None:
        for key in call.keys:
            if self._open.get(key) is call:
                del self._open[key]
        if self._talking.get((call.queue, call.account)) is call:
            del self._talking[call.queue, call.account]
