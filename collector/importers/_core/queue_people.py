"""Who is there, by an Asterisk queue_log: logins, queue memberships, pauses and wrap-up as presence."""

from collections.abc import Iterator

import msgspec

from collector.importers._core.queue_log import FORMAT, LogRow, Person
from wire.body import Body
from wire.conversation import Activity, Presence, PresenceChanged


class PersonState(msgspec.Struct):
    """What the log said about one account. here: by a login, or because only who is there can do what was told.

    queues: it was added to; queues of the configuration are not told. paused: queues it paused in. wraps_until: ms.
    gone_since: the instant (ms) before which it is known not to have been there, 0 = nothing is known.
    restarted_at: of the exchange (ms), where nothing was told of the account since, else 0. told: whether the
    record has its presence: where no row is about people, calls say nothing of who is there.
    rung: here by nothing but a phone that rang.
    """

    resolution_ms: int = 1
    here: bool = False
    paused_everywhere: bool = False
    queues: set[str] = set()
    paused: set[str] = set()
    reason: str = ""
    wraps_until: int = 0
    gone_since: int = 0
    restarted_at: int = 0
    told: bool = False
    rung: bool = False

    def leave(self) -> None:
        """Gone: nothing of what was told before holds any more."""
        self.here = self.paused_everywhere = self.rung = False
        self.queues, self.paused = set(), set()
        self.reason, self.wraps_until = "", 0

    @property
    def presence(self) -> Presence:
        """On a break is who paused everywhere, or in every queue it was added to."""
        if not self.here and not self.queues:
            return Presence.OFFLINE
        paused = bool(self.paused) and self.queues <= self.paused
        return Presence.ON_BREAK if self.paused_everywhere or paused else Presence.READY


class People:
    """Every account the log told of, in `states`."""

    def __init__(self) -> None:
        self.states: dict[str, PersonState] = {}

    def take(self, row: LogRow, does: Person) -> Iterator[Body]:
        """What a row about somebody adds to the record. With the first one, those whose phones rang before are told."""
        if not any(each.told for each in self.states.values()):
            for account, known in self.states.items():
                if known.here and account != row.account:
                    known.told = True
                    yield _told(row.at, account, known, Activity.IDLE)
        state = self.states.setdefault(row.account, PersonState())
        is_gone = state.gone_since > 0 and not state.restarted_at and state.presence is Presence.OFFLINE
        if is_gone and not _brings_back(row, does):
            yield _told(row.at, row.account, state, Activity.IDLE)
            return
        state.resolution_ms, state.told = row.resolution_ms, True
        wraps_until = state.wraps_until
        if does is Person.LOGS_OFF:
            since_ms = row.seconds(1)
            if (
                state.rung or state.presence is Presence.OFFLINE
            ) and since_ms is not None:  # it logged in before the file begins
                state.here = True
                yield _told(max(row.at - since_ms, 0), row.account, state, Activity.IDLE)
            state.leave()
        else:
            _change(state, row, does)
        state.restarted_at, state.rung = 0, False
        if state.presence is Presence.OFFLINE:
            state.gone_since = row.at
        if state.wraps_until > row.at:
            yield _told(row.at, row.account, state, Activity.WRAP_UP)
        else:
            yield _told(row.at, row.account, state, Activity.IDLE)
        # said ahead, since the log does not say when it ends; what changes meanwhile is said again for that instant
        ends_at = max(state.wraps_until, wraps_until)
        if ends_at > row.at:
            yield _told(ends_at, row.account, state, Activity.IDLE)

    def rung(self, row: LogRow, waits_since: int, rang_since: int) -> Iterator[Body]:
        """A phone rings only for who is a member: by the configuration, or kept over a restart, of which no row tells.

        waits_since: when the call that rang entered (ms); rang_since: when the phone began to ring for it.
        """
        state = self.states.setdefault(row.account, PersonState())
        if state.presence is Presence.OFFLINE and rang_since >= state.gone_since:
            state.resolution_ms, state.here, state.rung = row.resolution_ms, True, True
            if any(each.told for each in self.states.values()):
                since = state.restarted_at or max(waits_since, state.gone_since)
                state.told = True
                yield _told(since, row.account, state, Activity.IDLE)

    def cut_off(self, at: int, restarted_at: int) -> Iterator[Body]:
        """The exchange was started anew; `at` is the last it told before. Who is there now it has yet to say."""
        for account, state in self.states.items():
            state.restarted_at = state.gone_since = restarted_at
            was_there = state.presence is not Presence.OFFLINE
            if not state.told:
                state.leave()
            elif was_there:
                ends_at = max(at, state.wraps_until)
                state.leave()
                yield _told(at, account, state, Activity.IDLE)
                if ends_at > at:
                    yield _told(ends_at, account, state, Activity.IDLE)


def _brings_back(row: LogRow, does: Person) -> bool:
    """Whether a row shows that who is told to be gone was there after all.

    An exchange lifts the pauses of who has just logged off, and writes of people of no queue, too, that they pause
    everywhere; and wrap-up follows a call in which somebody logged off.
    """
    return does not in {Person.RESUMES, Person.WRAPS_UP} and (does is not Person.PAUSES or bool(row.queue))


def _change(state: PersonState, row: LogRow, does: Person) -> None:
    if does is Person.JOINS:
        state.queues.add(row.queue)
        if row.words == "PAUSED":
            state.paused.add(row.queue)
    elif does is Person.PARTS:
        state.queues.discard(row.queue)
        state.paused.discard(row.queue)
        if not state.queues:
            state.leave()
    else:
        state.here = True
        # only a member can pause in a queue, by the configuration as well
        named = {row.queue} if row.queue else set()
        if does is Person.PAUSES:
            state.reason = row.words
            state.queues |= named
            state.paused |= named
            state.paused_everywhere |= not named
        elif does is Person.RESUMES:
            state.queues |= named
            state.paused -= named or state.paused
            state.paused_everywhere = False
        elif does is Person.WRAPS_UP:
            state.wraps_until = row.at + (row.seconds(0) or 0)


def _told(at: int, account: str, state: PersonState, activity: Activity) -> PresenceChanged:
    presence = state.presence
    reason = state.reason if presence is Presence.ON_BREAK else ""
    head = (state.resolution_ms, FORMAT, None, False, "")
    return PresenceChanged(at, *head, account, presence, activity, reason)
