"""The second stage against a direct look at facts and conversations, and what its tiles say."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine._core.definition import label_of
from sla_engine._core.engine import live, open_conversations
from sla_engine._core.remembered import RecordCounts
from sla_engine._core.tiles import ClientPart, OperatorPart, compose
from tests.builders import (
    PRESET,
    Event,
    agent,
    assigned,
    back,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    entries,
    ms,
    presence,
    published,
    rules,
    signed,
    silent,
    works,
)
from tests.sla_engine.folding import CALENDAR, Folding
from tests.sla_engine.strategies import drawn, transcripts
from wire.board import AgentCount, Figures, Mean, Ratio, Tile, Waiting
from wire.conversation import Activity, Presence
from wire.record import Feed
from wire.recorded import Recorded
from wire.verdict import Outcome, ResponseFact, SessionFact, Verdict

LENIENT = changed(name="lenient", first_response_limit_ms=4_000, warning_after_ms=2_000)
LABEL = label_of(PRESET)


def ledger(events: list[Event]) -> list[Recorded]:
    last = max(event.received_at for event in events)
    roster = [*works("anna", "anna", "red", "a1", "north"), *works("ben", "ben", "blue", "b1", "south")]
    ticking = [clock(at) for at in range(ms("08:00"), last, 5_000)][:200]
    sources = [declared(0, "pbx", Feed.DELAYED)]
    return entries([*rules(PRESET, LENIENT), *roster, *sources, *events, *ticking, clock(last + 3_000)])


def direct_figures(folding: Folding, scope: str, group: str, start: int, end: int) -> tuple[int, ...]:
    """Offered, then each outcome, met, judged, turn ms and turns, counted from facts and conversations."""
    sessions: list[SessionFact] = []
    turns: list[ResponseFact] = []
    for fact in folding.facts.values():
        if not isinstance(fact, SessionFact | ResponseFact) or fact.void or fact.definition != LABEL:
            continue
        here = {"queue": fact.queue, "team": fact.place.team, "site": fact.place.site, "client": "acme"}[scope]
        if isinstance(fact, SessionFact) and here == group and start <= fact.started_at < end:
            sessions.append(fact)
        elif isinstance(fact, ResponseFact) and here == group and start <= fact.session_started_at < end:
            turns.append(fact)
    said = [fact for fact in folding.facts.values() if isinstance(fact, SessionFact) and not fact.void]
    decided = {(fact.conversation, fact.session) for fact in said if fact.definition == LABEL}
    undecided = 0
    for shard in folding.shards:
        for conversation in open_conversations(shard):
            stands = live(shard, conversation)
            assert stands is not None
            if stands.due_at is None or (conversation, stands.session) in decided:
                continue
            place = stands.place
            here = {"queue": stands.queue, "team": place.team, "site": place.site, "client": "acme"}[scope]
            undecided += here == group and start <= (stands.waiting_since or 0) < end
    outcomes = [fact.outcome for fact in sessions]
    verdicts = [fact.verdict for fact in sessions]
    durations = [fact.duration_ms for fact in turns if fact.duration_ms is not None]
    return (
        len(outcomes) + undecided,
        *(outcomes.count(outcome) for outcome in Outcome),
        verdicts.count(Verdict.MET),
        len(verdicts) - verdicts.count(Verdict.EXCLUDED),
        sum(durations),
        len(durations),
    )


def shown_figures(figures: Figures) -> tuple[int, ...]:
    return (
        figures.offered,
        figures.answered,
        figures.abandoned,
        figures.unanswered,
        figures.excluded,
        figures.attainment.part,
        figures.attainment.whole,
        figures.average_response.total_ms,
        figures.average_response.count,
    )


def loads(folding: Folding) -> dict[str, tuple[int, int]]:
    """What everybody has in hands, and the conversations times ms up to the last change."""
    found = folding.state.concurrency.loads
    return {account: (load.now, load.load_ms) for account, load in found.items() if load.load_ms}


def direct_waiting(folding: Folding, tile: Tile, as_of: int) -> Waiting:
    soon_ms = (tile.first_response_limit_ms or 0) - (tile.warning_after_ms or 0)
    found = [live(shard, c) for shard in folding.shards for c in open_conversations(shard)]
    here = [stands for stands in found if stands is not None and stands.queue == tile.id]
    waits = [stands.waiting_since for stands in here if stands.waiting_since is not None]
    waiters = [(s.waiting_since, s.conversation, s.due_at) for s in here if s.waiting_since is not None]
    dues = [stands.due_at for stands in here if stands.due_at is not None]
    return Waiting(
        waiting=len(waits),
        overdue=sum(due < as_of for due in dues),
        oldest_since=min(waits, default=None),
        next_due_at=min((due for due in dues if due >= as_of), default=None),
        open=len(here),
        overdue_since=min((due for due in dues if due < as_of), default=None),
        oldest_due_at=min(waiters, key=lambda waiter: waiter[:2])[2] if waiters else None,
        due_soon=sum(as_of <= due <= as_of + soon_ms for due in dues if soon_ms),
    )


@settings(max_examples=60)
@given(events=transcripts, cuts=st.lists(st.integers(1, 300), max_size=6))
def test_every_tile_equals_a_direct_look_at_facts_and_conversations(events: list[Event], cuts: list[int]) -> None:
    recorded = ledger(events)
    folding = Folding()
    folding.fold_all(recorded, cuts)
    part = folding.part()
    day, interval = part.day_start, part.interval_start
    for tile in (part.client, *part.queues, *part.teams, *part.sites):
        in_day = direct_figures(folding, tile.scope, tile.id, day, CALENDAR.next_day_start(day))
        in_interval = direct_figures(folding, tile.scope, tile.id, interval, interval + CALENDAR.interval_ms)
        assert shown_figures(tile.day) == in_day
        assert shown_figures(tile.interval) == in_interval
    for tile in part.queues:
        assert tile.live == direct_waiting(folding, tile, part.as_of)


@example(events=drawn(10320, 16), cuts=[30], shards=1)  # a late event opens a judged session again
@settings(max_examples=40)
@given(events=transcripts, cuts=st.lists(st.integers(1, 300), max_size=6), shards=st.sampled_from([1, 2, 8]))
def test_tiles_are_the_same_for_any_batches_and_any_number_of_shards(
    events: list[Event], cuts: list[int], shards: int
) -> None:
    recorded = ledger(events)
    whole, cut = Folding(), Folding(shards)
    whole.fold_all(recorded)
    cut.fold_all(recorded, cuts)
    assert cut.part() == whole.part()
    assert loads(cut) == loads(whole)


@settings(max_examples=40)
@given(events=transcripts)
def test_teams_and_sites_and_queues_each_add_up_to_the_client(events: list[Event]) -> None:
    folding = Folding()
    folding.fold_all(ledger(events), range(1, 300, 7))
    part = folding.part()
    for tiles in (part.queues, part.teams, part.sites):
        columns = zip(shown_figures(Figures()), *(shown_figures(tile.day) for tile in tiles), strict=True)
        assert tuple(sum(column) for column in columns) == shown_figures(part.client.day)
    shown = part.client.day
    undecided = shown.offered - shown.answered - shown.abandoned - shown.unanswered - shown.excluded
    assert undecided >= 0


def after(*events: Event, now: str) -> ClientPart:
    """Tiles after events under the preset, at a time of day."""
    folding = Folding()
    given_rules = [*rules(), *works("anna", "anna", "red", "a1", "north")]
    folding.fold_all(entries([*given_rules, *events, clock(now)]))
    return folding.part()


def queue_of(part: ClientPart, queue: str = "presale") -> Tile:
    (tile,) = [tile for tile in part.queues if tile.id == queue]
    return tile


def test_a_customer_waits_from_the_first_message_and_breaches_after_ten_seconds() -> None:
    waiting = queue_of(after(customer("09:00:00"), customer("09:00:04"), now="09:00:08")).live
    due = ms("09:00:10")
    assert waiting == Waiting(1, 0, ms("09:00:00"), due, open=1, oldest_due_at=due, due_soon=1)
    overdue = queue_of(after(customer("09:00:00"), now="09:00:10.001")).live
    assert overdue == Waiting(1, 1, ms("09:00:00"), None, open=1, overdue_since=due, oldest_due_at=due)
    served = queue_of(after(customer("09:00:00"), agent("09:00:03"), now="09:00:08")).live
    assert served == Waiting(0, 0, None, None, open=1)


def test_a_session_is_offered_from_its_start_and_judged_once() -> None:
    began = queue_of(after(customer("09:00:00"), now="09:00:05")).day
    assert (began.offered, began.attainment) == (1, Ratio(0, 0))
    missed = queue_of(after(customer("09:00:00"), now="09:00:20")).day
    assert (missed.offered, missed.unanswered, missed.attainment) == (1, 1, Ratio(0, 1))
    late = queue_of(after(customer("09:00:00"), clock("09:00:20"), agent("09:00:25"), now="09:00:30")).day
    assert (late.offered, late.unanswered, late.answered, late.attainment) == (1, 0, 1, Ratio(0, 1))
    assert late.first_response == Mean(25_000, 1)


def test_a_session_judged_under_a_definition_not_shown_stays_offered_until_the_shown_one_judges_it() -> None:
    folding = Folding()
    folding.fold_all(entries([*rules(PRESET, LENIENT), customer("09:00:00"), clock("09:00:08")]))
    judged = [fact.definition for fact in folding.facts.values() if isinstance(fact, SessionFact)]
    assert judged == [label_of(LENIENT)]
    assert queue_of(folding.part()).day.offered == 1
    folding.fold_all(entries([clock("09:00:20")], first=folding.shards[0].next_index))
    assert queue_of(folding.part()).day.offered == 1


def test_a_reply_that_comes_in_late_turns_the_miss_into_what_it_was() -> None:
    part = after(customer("09:00:00"), clock("09:00:20"), agent("09:00:04", arrives="09:00:30"), now="09:00:31")
    assert queue_of(part).day.attainment == Ratio(1, 1)


def test_a_new_day_and_a_new_interval_start_empty() -> None:
    folding = Folding()
    story = (customer("09:00:00"), agent("09:00:03"), closed("09:00:40"))
    folding.fold_all(entries([*rules(), *story, clock("09:14:59")]))
    assert queue_of(folding.part()).interval.answered == 1
    folding.state.advance(ms("09:15:00"), None)
    assert (queue_of(folding.part()).interval.answered, queue_of(folding.part()).day.answered) == (0, 1)
    folding.state.advance(ms("+1 03:59:59"), None)
    assert queue_of(folding.part()).day.answered == 1
    folding.state.advance(ms("+1 04:00"), None)
    assert queue_of(folding.part()).day.answered == 0


def test_old_windows_are_let_go_of() -> None:
    folding = Folding()
    for day in range(6):
        folding.fold_all(
            entries(
                [*(rules() if day == 0 else []), customer(f"+{day} 09:00", f"c{day}")],
                first=folding.shards[0].next_index,
            )
        )
    folding.state.advance(ms("+6 09:00"), None)
    book = folding.state.book
    assert len(book._days) <= 2
    assert len(book._intervals) <= 2


def test_people_are_counted_once_by_presence_and_what_they_have_in_hands() -> None:
    part = after(
        presence("08:59", "anna"),
        presence("08:59", "anna-2"),
        presence("08:59", "ben", state=Presence.ON_BREAK),
        *works("anna-2", "anna", "red", "a1", "north"),
        customer("09:00:00"),
        assigned("09:00:01", "anna"),
        now="09:00:02",
    )
    assert part.client.agents == [AgentCount("ready", "serving", 1), AgentCount("on_break", "idle", 1)]
    assert [(team.id, team.agents) for team in part.teams] == [
        ("red", [AgentCount("ready", "serving", 1)]),
        ("unassigned", [AgentCount("on_break", "idle", 1)]),
    ]
    assert queue_of(part).agents == part.client.agents


def test_an_older_presence_that_comes_in_late_changes_nothing() -> None:
    late = presence("08:00", "anna", state=Presence.OFFLINE)._replace(received_at=ms("09:00"))
    part = after(presence("08:59", activity=Activity.WRAP_UP), late, now="09:00:02")
    assert part.client.agents == [AgentCount("ready", "wrap_up", 1)]


def test_somebody_who_hands_everything_on_is_idle_again() -> None:
    part = after(
        presence("08:59", "anna"),
        customer("09:00:00"),
        assigned("09:00:01", "anna"),
        closed("09:00:09"),
        now="09:00:10",
    )
    assert part.client.agents == [AgentCount("ready", "idle", 1)]


def test_a_team_leader_sees_who_waits_with_the_own_people() -> None:
    part = after(customer("09:00"), assigned("09:00:01", "anna"), customer("09:00:02", "c2"), now="09:00:03")
    assert [(team.id, team.live.waiting if team.live else None) for team in part.teams] == [
        ("red", 1),
        ("unassigned", 0),
    ]
    assert part.client.live is not None
    assert part.client.live.waiting == 2


def test_a_queue_fed_once_a_day_has_no_live_part() -> None:
    part = after(declared(0, "chat", Feed.DAILY), customer("09:00:00"), now="09:00:05")
    tile = queue_of(part)
    assert (tile.feed, tile.live) == (Feed.DAILY, None)
    better = after(
        declared(0, "pbx", Feed.DAILY), customer("09:00:00"), customer("09:00:01", "c2", source="pbx"), now="09:00:05"
    )
    assert queue_of(better).feed is Feed.LIVE
    assert queue_of(better).live is not None


def test_a_queue_fed_once_a_day_shows_nobody_at_work_now() -> None:
    told = (presence("08:59"), customer("09:00:00"), assigned("09:00:01", "anna"))
    assert queue_of(after(declared(0, "chat", Feed.DAILY), *told, now="09:00:05")).agents == []
    assert queue_of(after(declared(0, "chat", Feed.LIVE), *told, now="09:00:05")).agents != []


def test_a_tile_is_stale_while_all_of_its_sources_are_silent() -> None:
    both = (customer("09:00:00"), customer("09:00:01", "c2", source="pbx"), declared(0, "pbx"))
    one = queue_of(after(*both, silent("09:00:02"), now="09:00:05"))
    assert one.stale_since is None
    all_of_them = queue_of(after(*both, silent("09:00:02"), silent("09:00:03", "pbx"), now="09:00:05"))
    assert all_of_them.stale_since == ms("09:00:03")
    again = queue_of(after(*both, silent("09:00:02"), silent("09:00:03", "pbx"), back("09:00:04"), now="09:00:05"))
    assert again.stale_since is None


def test_a_sender_without_numbers_is_marked_unsequenced() -> None:
    unnumbered = declared(0, "chat")
    body = unnumbered.body
    event = unnumbered._replace(
        body=type(body)(**{**{f: getattr(body, f) for f in body.__struct_fields__}, "numbered": False})
    )
    assert queue_of(after(event, customer("09:00"), now="09:00:05")).unsequenced
    assert not queue_of(after(customer("09:00"), now="09:00:05")).unsequenced


def test_limits_and_the_label_of_the_definition_are_on_the_tile() -> None:
    tile = queue_of(after(customer("09:00"), now="09:00:05"))
    assert tile.definition == LABEL
    assert (tile.first_response_limit_ms, tile.warning_after_ms) == (10_000, 6_000)
    assert (tile.average_good_ms, tile.average_limit_ms, tile.attainment_target) == (20_000, 30_000, None)
    assert tile.day.service_level is not None
    assert (tile.day.service_level.formula, tile.day.service_level.threshold_ms) == (
        PRESET.service_level_formula,
        10_000,
    )


def test_a_target_shows_once_the_running_in_time_is_over() -> None:
    base = contract(PRESET.name)
    stated = type(base)(
        **{f: getattr(base, f) for f in base.__struct_fields__}
        | {"attainment_target_bp": 9_500, "running_in_until": ms("10:00")}
    )
    events = entries([published(), signed(stated), declared(0), customer("09:00"), clock("09:30")])
    folding = Folding()
    folding.fold_all(events)
    assert queue_of(folding.part()).attainment_target is None
    folding.state.advance(ms("10:00"), None)
    assert queue_of(folding.part()).attainment_target == Ratio(9_500, 10_000)


def test_without_a_contract_there_are_waits_and_no_figures() -> None:
    folding = Folding()
    folding.fold_all(entries([declared(0), customer("09:00:00"), clock("09:00:05")]))
    tile = queue_of(folding.part())
    assert (tile.definition, tile.day, tile.first_response_limit_ms) == ("", Figures(), None)
    assert tile.live == Waiting(1, 0, ms("09:00:00"), None, open=1)


def test_a_second_definition_is_judged_and_not_shown() -> None:
    folding = Folding()
    folding.fold_all(entries([*rules(PRESET, LENIENT), customer("09:00"), agent("09:00:05"), clock("09:01")]))
    assert len({fact.definition for fact in folding.facts.values() if isinstance(fact, SessionFact)}) == 2
    assert queue_of(folding.part()).day.attainment == Ratio(1, 1)


def test_a_board_is_as_true_as_its_oldest_part_and_lists_clients_by_id() -> None:
    first, second = Folding(client="beta"), Folding(client="acme")
    for folding, now in ((first, "09:00:05"), (second, "09:00:03")):
        folding.fold_all(entries([*rules(), customer("09:00"), clock(now)]))
    operator = OperatorPart(as_of=ms("09:00:09"), sites=[], counts=RecordCounts(entries=7, gaps=1))
    board = compose([first.part(), second.part()], operator, computed_at=ms("09:00:10"))
    assert board.as_of == ms("09:00:03")
    assert [tile.id for tile in board.clients] == ["acme", "beta"]
    assert [(tile.client, tile.id) for tile in board.queues] == [("acme", "presale"), ("beta", "presale")]
    assert (board.entries, board.gaps) == (7 + 2 * 5, 1)
    assert board.day_start == ms("04:00")


def test_who_waits_on_a_queue_told_of_a_day_late_counts_down_nowhere() -> None:
    sources = [declared(0, "chat", Feed.DAILY), declared(0, "pbx", Feed.LIVE)]
    late, live_queue = customer("09:00:00"), customer("09:00:01", "c2", queue="voice", source="pbx")
    part = after(*sources, late, live_queue, now="09:00:08")
    assert queue_of(part).live is None
    assert part.client.live is not None
    assert (part.client.live.waiting, part.client.live.oldest_since) == (1, ms("09:00:01"))
