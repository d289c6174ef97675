"""Single rules that no golden transcript tells on its own."""

from sla_engine._core.definition import label_of
from tests.builders import (
    PRESET,
    accepted,
    agent,
    assigned,
    changed,
    closed,
    customer,
    left,
    offered,
    queued,
    rules,
    transcript,
    transferred,
)
from wire.conversation import Author, ClosedBy, Form, LeftReason

TEXT_ONLY = changed(name="text-only", inbound_forms=(Form.TEXT,))


def test_each_definition_says_for_itself_what_an_enquiry_is() -> None:
    play = transcript(
        customer("09:00:00", form=Form.CARD),
        customer("09:00:20"),
        agent("09:00:25"),
        closed("09:01"),
        given=rules(PRESET, TEXT_ONLY),
    )
    took = {fact.definition: fact.first_response_ms for fact in play.sessions()}
    assert took == {label_of(PRESET): 25_000, label_of(TEXT_ONLY): 5_000}


def test_a_card_alone_owes_nothing_where_only_text_counts() -> None:
    play = transcript(customer("09:00:00", form=Form.CARD), closed("09:05"), definition=TEXT_ONLY)
    assert play.sessions() == []
    assert play.turns() == []


def test_an_assist_robot_answers_where_the_definition_says_so() -> None:
    assisted = changed(valid_reply=(Author.HUMAN, Author.ASSIST))
    play = transcript(customer("09:00:00"), agent("09:00:01", "robot", author=Author.ASSIST), definition=assisted)
    assert play.session().first_response_ms == 1_000
    assert play.session().place.account == "robot"
    assert play.load() == [], "a program has nothing in hands"


def test_the_wait_is_split_into_queue_and_acceptance() -> None:
    play = transcript(
        offered("09:00:00"), queued("09:00:03"), assigned("09:00:05"), accepted("09:00:06"), agent("09:00:09")
    )
    fact = play.session()
    assert (fact.first_response_ms, fact.queue_wait_ms, fact.accept_wait_ms) == (9_000, 2_000, 1_000)
    assert fact.seat_response_ms == 4_000


def test_a_session_belongs_to_the_queue_it_started_on() -> None:
    play = transcript(customer("09:00:00"), transferred("09:00:02", queue="aftersale"), agent("09:00:05"))
    assert play.session().queue == "presale"


def test_a_transfer_to_a_queue_takes_it_out_of_the_persons_hands() -> None:
    play = transcript(
        customer("09:00:00"), assigned("09:00:01"), transferred("09:00:04", queue="aftersale"), closed("09:00:09")
    )
    assert play.load() == [("09:00:01.000", "anna", 1), ("09:00:04.000", "anna", -1)]
    assert play.session().place.account == "unassigned"


def test_only_the_customers_own_choice_is_an_abandonment() -> None:
    for reason in LeftReason:
        own = reason in {LeftReason.HUNG_UP, LeftReason.WENT_SILENT}
        away = reason in {LeftReason.PRESSED_KEY, LeftReason.TURNED_AWAY, LeftReason.QUEUE_CLOSED}
        fact = transcript(offered("09:00:00"), left("09:00:06", reason=reason)).session()
        assert (fact.outcome, fact.why) == (
            ("abandoned", "left_unanswered")
            if own
            else ("unanswered", "went_elsewhere" if away else "closed_unanswered")
        )
        assert fact.verdict == "breached"
    fact = transcript(offered("09:00:00"), closed("09:00:06", by=ClosedBy.CUSTOMER)).session()
    assert fact.outcome == "abandoned"


def test_who_comes_back_within_the_gap_still_waits_from_the_first_start() -> None:
    play = transcript(customer("09:00:00"), left("09:00:03"), customer("09:00:07"), agent("09:00:09"))
    said = [(fact.revision, fact.why, fact.first_response_ms) for fact in play.said()]
    assert said == [(0, "left_short", None), (1, "answered_in_time", 9_000)]
    assert play.turns() == [None, 2_000]


def test_the_coarser_resolution_of_both_ends_travels_with_the_value() -> None:
    fact = transcript(customer("09:00:00", resolution=1), agent("09:00:09", resolution=1_000)).session()
    assert fact.resolution_ms == 1_000


def test_an_outbound_conversation_owes_turns_but_no_first_response() -> None:
    play = transcript(offered("09:00:00", outbound=True), customer("09:01:00"), agent("09:01:07"))
    assert play.session().why == "outbound"
    assert play.turns() == [7_000]
