"""The second stage: what all shards of one client say, folded into what its tiles show.

Nothing here is a record. Counts come from facts, waits from how conversations stand, people and feeds from entries;
all of it can be built anew from the facts kept, the shards and the entries.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from sla_engine._core.calendar import Calendar
from sla_engine._core.concurrency import Concurrency
from sla_engine._core.contributions import OPENED, FigureRule, contribution, figure_rule, is_short
from sla_engine._core.coverage import Coverages
from sla_engine._core.feeds import Feeds, best_feed
from sla_engine._core.follow_ups import FollowUps
from sla_engine._core.groups import CLIENT, Group, Groups
from sla_engine._core.hands import Hands
from sla_engine._core.misses import Misses
from sla_engine._core.people import People, PlaceOf, person_of
from sla_engine._core.quality import QualityChecks
from sla_engine._core.remembered import Remembered, Told, count_entry
from sla_engine._core.result import LiveConversation
from sla_engine._core.seats import Seats
from sla_engine._core.shown import Shown, ShownOf
from sla_engine._core.staffing import HALF_HOUR_MS, StaffTime
from sla_engine._core.surge import Surges
from sla_engine._core.tallies import TallyBook
from sla_engine._core.totals import QueueTotals
from sla_engine._core.waiting import WaitingRoom
from sla_engine._core.windows import MINUTE_MS, WindowCalendar
from wire.board import Load
from wire.conversation import PresenceChanged, QualityScored
from wire.follow_up import FollowedUp
from wire.kinds import Kind
from wire.organisation import RosterLink
from wire.record import Feed, Gone, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded
from wire.verdict import Fact, LegFact, LoadChange, ResponseFact, SessionFact

_QUEUE_NAMED: Final = frozenset({Kind.OFFERED, Kind.QUEUED, Kind.ASSIGNED, Kind.CUSTOMER_TURN, Kind.TRANSFERRED})
_CONVERSATION_KINDS: Final = range(Kind.OFFERED, Kind.PRESENCE)
_NO_SESSION: Final = (-1, 0)


class Change(NamedTuple):
    """A fact and the lower revision of it that it replaces, if any."""

    fact: Fact
    replaced: Fact | None


class TileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[board]`. hands_limit: conversations one person is meant to hold where the roster says nothing.

    hands_idle_ms: how long after the last word one whose end nobody tells is held. surge_conversations,
    surge_within_ms: so many of one team warned within so long. follow_up_lasts_ms: one's length.
    """

    hands_limit: int
    hands_idle_ms: int
    surge_conversations: int
    surge_within_ms: int
    follow_up_lasts_ms: int
    due_soon_max_ms: int


class _Open(msgspec.Struct, gc=False):
    """What an open conversation adds to the tallies.

    decided: a fact counts this session. groups: empty when it adds nothing.
    """

    session: int = -1
    decided: bool = False
    groups: tuple[Group, ...] = ()
    started_at: int = 0


class ClientState:
    """Everything one client's tiles are made of."""

    def __init__(
        self,
        client: str,
        calendar: WindowCalendar,
        shown_of: ShownOf,
        place_of: PlaceOf,
        settings: TileSettings,
        remembered: Remembered | None = None,
        *,
        hindsight: bool = False,
    ) -> None:
        """hindsight: of a past instant seen from later; queues fed a day late are waited on, intervals are kept."""
        known = Remembered() if remembered is None else remembered
        self.client: Final = client
        self.hindsight: Final = hindsight
        self.shown_of: Final = shown_of
        self.place_of: Final = place_of
        self.groups: Final = Groups(client)
        self.client_group: Final[Group] = (CLIENT, client)
        self.book: Final = TallyBook(calendar, keeps_intervals=hindsight)
        self.second_books: Final[dict[str, TallyBook]] = {}
        self.quality: Final = QualityChecks[tuple[Group, ...]](known.checks, self.book.add, self.book.remove)
        self.room: Final = WaitingRoom(settings.due_soon_max_ms)
        told = known.told
        self.feeds: Final = Feeds(told.feeds, hindsight=hindsight)
        self.coverages: Final = Coverages(told.coverage)
        self.seats: Final = Seats(known.seats, settings.hands_limit)
        half_hours = WindowCalendar(calendar.zone, HALF_HOUR_MS, calendar.day_starts_ms)
        self.staff: Final = StaffTime(half_hours, self.open_ms, known.days)
        self.people: Final = People(self.groups, place_of, self.seats, self.staff, self.feeds.tells_of_now)
        self.concurrency: Final = Concurrency()
        self.hands: Final = Hands(self.people, self.concurrency, settings.hands_idle_ms)
        self.surges: Final = Surges(settings.surge_conversations, settings.surge_within_ms)
        self.follow_ups: Final = FollowUps(told.follow_ups, settings.follow_up_lasts_ms)
        self.misses: Final = Misses()
        self.counts: Final = told.counts
        self.totals: Final = QueueTotals(told.totals)
        self._window: Calendar | None = None
        self.as_of = 0
        self.watermark: int | None = None
        self.loads: dict[Group, Load] = {}
        """Up to the last whole minute of the watermark: they change slowly and cost much."""
        self._roster_changed = False
        self._open: dict[str, _Open] = {}
        self._decided: dict[str, tuple[int, int]] = {}  # conversation -> its last session a fact counts, and its start
        self._rules: dict[str, FigureRule] = {}
        for queue, sources in told.feeds.queues.items():
            for source in sources:
                self.people.serves(source, queue)
        self.people.restore(told.accounts, self.as_of)

    def restore_loads(self, changes: list[LoadChange]) -> None:
        """Make concurrency anew, once every open conversation stands: `changes` are those since the day began."""
        hands = {account: len(held) for account, held in self.people.held.items()}
        self.concurrency.begin(hands, changes, self.book.day_start)

    def remembered(self) -> Remembered:
        """What the next start needs beside facts and shards."""
        told = Told(self.counts, self.feeds.state, self.people.accounts, self.totals.sums, self.coverages.state)
        told.follow_ups = self.follow_ups.said
        return Remembered(told, self.seats.state, self.staff.days, self.quality.state)

    def open_ms(self, since: int, until: int) -> int:
        """How long the service window is open within [since, until), ms: by the rules of the first queue, by id."""
        return until - since if self._window is None else self._window.open_ms(since, until)

    def observe(self, batch: Iterable[Recorded]) -> None:
        """Take what entries say about the record, its feeds and the people, in index order."""
        for entry in batch:
            kind = entry.kind
            count_entry(self.counts, kind)
            if kind in _CONVERSATION_KINDS:
                if entry.body is not None:
                    self.coverages.hear(entry.source, entry.body.occurred_at, proves=self.feeds.proves(entry.source))
                if kind in _QUEUE_NAMED:
                    self._hear(entry)
                continue
            match entry.body:
                case PresenceChanged() as body:
                    self.people.tell(entry.source, body)
                case QualityScored() as body:
                    self.quality.check(body)
                case SourceDeclared() | SourceSilent() | SourceBack() | Gone() as body:
                    self._trust(body)
                case FollowedUp() as body:
                    self.follow_ups.take(body)
                case RosterLink() as body:
                    self.seats.enter(body)
                    self._roster_changed = True
                case _:
                    pass

    def _trust(self, body: SourceDeclared | SourceSilent | SourceBack | Gone) -> None:
        """Take what is said of a source: how far it can be trusted."""
        match body:
            case SourceDeclared():
                self.feeds.declare(body)
                self.coverages.declare(body)
                self._roster_changed = True  # whom it told of may be nobody of now any more
            case SourceSilent():
                self.feeds.silence(body)
                self.coverages.silence(body)
            case SourceBack():
                self.feeds.back(body)
                self.coverages.back(body)
            case Gone():
                self.coverages.lose(body)

    def change(self, changes: Iterable[Change]) -> set[str]:
        """Take facts: each replaces exactly what its lower revision added.

        Returns the conversations whose session is undecided again and that have to `stand` anew.
        """
        undecided: set[str] = set()
        for fact, replaced in changes:
            if replaced is not None:
                self._count_fact(replaced, add=False)
            self._count_fact(fact, add=True)
            if isinstance(fact, LoadChange):
                self.concurrency.add(fact)
            elif isinstance(fact, SessionFact):
                self._decide(fact, undecided)
        return undecided

    def total(self, changes: Iterable[Change]) -> None:
        """Add what is new to the sums that never fall. Once per fact said, so not when tiles are made anew."""
        for fact, replaced in changes:
            if isinstance(fact, LoadChange | LegFact):
                continue
            started_at = fact.session_started_at if isinstance(fact, ResponseFact) else fact.started_at
            judging = self._primary(fact, started_at)
            if judging is None:
                continue
            if isinstance(fact, SessionFact):
                before = replaced if isinstance(replaced, SessionFact) else None
                self.totals.add_session(fact, before, is_short=is_short(fact, self.rule_of(judging)))
            else:
                self.totals.add_response(fact, replaced if isinstance(replaced, ResponseFact) else None)

    def let_go(self, gone: Collection[str], changes: Iterable[Change]) -> None:
        """Take out of hands what was let go of: as after a restart, it is in none from the day's beginning on."""
        self.hands.let_go(gone, (each.fact for each in changes), self.book.day_start)

    def stand(self, conversation: str, live: LiveConversation | None) -> None:
        """Take how a conversation stands; None or not open: it is over."""
        known = self._open.get(conversation)
        if live is None or not live.open:
            if known is not None:
                self._close(conversation, known)
            return
        if known is None:
            known = self._open[conversation] = _Open()
        self.hands.stand(conversation, live.account, live.last_at)
        if known.session != live.session:
            known.session = live.session
            known.decided = self._decided.get(conversation, _NO_SESSION)[0] == live.session
        groups = self.groups.of(live.queue, live.place)
        waits_in = groups if live.account else self.groups.of_unheld(live.queue)
        if not self.hindsight and best_feed(self.feeds.of_queue(live.queue)) is Feed.DAILY:
            waits_in = ()  # what a queue tells a day later is no wait of now: nobody counts down on it anywhere
        since = live.waiting_since
        if since is None or live.due_at is None:
            self.surges.answer(conversation)
        self.room.put(conversation, waits_in, since, live.due_at)
        if live.due_at is None or since is None or known.decided:
            self._withdraw(known)
        elif known.groups is not groups or known.started_at != since:
            self._withdraw(known)
            self.book.add(groups, since, OPENED)
            known.groups, known.started_at = groups, since

    def advance(self, as_of: int, watermark: int | None) -> None:
        """Time is `as_of` (hub's ms), the record is complete up to `watermark` (event time, ms)."""
        day = self.book.day_start
        interval = self.book.interval_start
        self.as_of = max(self.as_of, as_of)
        for book in (self.book, *self.second_books.values()):
            book.advance(self.as_of)
        self.room.advance(self.as_of)
        if self._roster_changed or self.book.interval_start != interval:
            self._roster_changed = False
            self.people.replace(self.as_of)  # with time, too, a link of the roster comes into force
            self._look_at_windows()
        if self.book.day_start != day:
            self.staff.begin(self.book.day_start)
            self.misses.begin(self.book.day_start)
            self.coverages.begin(self.book.day_start)
            oldest = self.book.oldest
            self.quality.forget(oldest)
            self._decided = {name: last for name, last in self._decided.items() if last[1] >= oldest}
            self.concurrency.begin_window(self.book.day_start)
        if watermark is not None:
            self.watermark = watermark
            self.hands.advance(watermark)
            self.concurrency.advance(watermark - watermark % MINUTE_MS)
            if self.concurrency.changed:
                self.loads = self.concurrency.by_group(self._whose)

    def is_decided(self, conversation: str) -> bool:
        """Whether a fact counts the session that is open."""
        known = self._open.get(conversation)
        return known is not None and known.decided

    def rule_of(self, shown: Shown) -> FigureRule:
        """How facts under a definition are counted."""
        rule = self._rules.get(shown.label)
        if rule is None:
            rule = self._rules[shown.label] = figure_rule(shown.definition, shown.label)
        return rule

    def _hear(self, entry: Recorded) -> None:
        queue = getattr(entry.body, "queue", "")
        if queue and self.feeds.hear(entry, queue):
            self.people.serves(entry.source, queue)
            self._look_at_windows()

    def _look_at_windows(self) -> None:
        """Rules may have come into force: the window is that of the first queue, by id, that has a definition."""
        for queue in sorted(self.feeds.queues()):
            shown = self.shown_of(queue, self.as_of, None)
            if shown:
                self._window = self.rule_of(shown[0]).calendar
                return

    def _count_fact(self, fact: Fact, *, add: bool) -> None:
        if isinstance(fact, LoadChange):
            return
        started_at = fact.started_at if isinstance(fact, SessionFact) else fact.session_started_at
        if started_at < self.book.oldest:
            return
        for number, shown in enumerate(self.shown_of(fact.queue, started_at, fact.session)):
            # a leg has no definition of its own and counts once, with the primary one
            judging = shown if isinstance(fact, LegFact) else shown.named(fact.definition)
            if judging is not None:
                groups = self.groups.of(fact.queue, fact.place)
                book = self.book if number == 0 else self._second_book(shown.definition.name)
                count = book.add if add else book.remove
                count(
                    groups if number == 0 else (groups[0], groups[-1]),
                    started_at,
                    contribution(fact, self.rule_of(judging)),
                )
                if number == 0 and isinstance(fact, SessionFact):
                    self.misses.count(fact, add=add)
                if number == 0 and not isinstance(fact, ResponseFact):
                    self.quality.count(fact, groups, add=add)
                if isinstance(fact, LegFact):
                    return

    def _second_book(self, name: str) -> TallyBook:
        book = self.second_books.get(name)
        if book is None:
            book = self.second_books[name] = TallyBook(self.book.calendar)
            book.advance(self.as_of)
        return book

    def _primary(self, fact: SessionFact | ResponseFact, started_at: int) -> Shown | None:
        """The version of the primary definition that said `fact`: counters and open sessions follow no other."""
        shown = self.shown_of(fact.queue, started_at, fact.session)
        return shown[0].named(fact.definition) if shown else None

    def _decide(self, fact: SessionFact, undecided: set[str]) -> None:
        """From here on the fact counts the session, no longer its open conversation; the other way if it is void."""
        if self._primary(fact, fact.started_at) is None:
            return
        if not fact.void:  # kept beyond the conversation's end: a late event may open the same session again
            self._decided[fact.conversation] = (fact.session, fact.started_at)
        elif self._decided.get(fact.conversation, _NO_SESSION)[0] == fact.session:
            del self._decided[fact.conversation]
        known = self._open.get(fact.conversation)
        if known is None or known.session != fact.session:
            return
        known.decided = not fact.void
        if known.decided:
            self._withdraw(known)
            undecided.discard(fact.conversation)
        else:
            undecided.add(fact.conversation)

    def _close(self, conversation: str, known: _Open) -> None:
        self.hands.stand(conversation, "", 0)
        self._withdraw(known)
        self.room.remove(conversation)
        self.surges.answer(conversation)
        del self._open[conversation]

    def _withdraw(self, known: _Open) -> None:
        if known.groups:
            self.book.remove(known.groups, known.started_at, OPENED)
            known.groups = ()

    def _whose(self, account: str) -> tuple[str, tuple[Group, ...]]:
        place = self.place_of(account, self.as_of)
        return person_of(account, place), self.groups.of_person(place)


def fold_client(
    state: ClientState,
    changes: Iterable[Change],
    stands: Mapping[str, LiveConversation | None],
    watermark: int | None,
    as_of: int,
) -> None:
    """Fold what one step of all shards said: how every touched conversation stands, then the facts.

    watermark: event time, ms, up to which the record is complete. as_of: hub's ms up to which entries are folded.
    """
    state.advance(as_of, None)
    said = list(changes)
    state.let_go([conversation for conversation, live in stands.items() if live is None], said)
    for conversation, live in stands.items():
        state.stand(conversation, live)
    for conversation in state.change(said):
        state.stand(conversation, stands[conversation])
    state.total(said)
    state.advance(as_of, watermark)
