"""Each stay in somebody's hands is a leg, whatever the definitions make of the session (E4)."""

from tests.builders import (
    Play,
    accepted,
    agent,
    assigned,
    clock_time,
    closed,
    customer,
    left,
    offered,
    queued,
    transcript,
    transferred,
)
from wire.verdict import LegFact


def legs(play: Play) -> list[LegFact]:
    last = {(fact.session, fact.leg): fact for fact in play.facts if isinstance(fact, LegFact)}
    return [fact for _, fact in sorted(last.items()) if not fact.void]


def told(play: Play) -> list[tuple[str, str, bool, bool]]:
    """Account, end, whether it was owed a reply, whether it gave one."""
    return [(leg.place.account, leg.end, leg.was_owed, leg.replied_at is not None) for leg in legs(play)]


def test_who_hands_on_without_a_reply_leaves_an_unanswered_leg() -> None:
    play = transcript(
        customer("09:00:00"), assigned("09:00:02"), transferred("09:00:05", account="ben"), agent("09:00:09", "ben")
    )
    assert told(play) == [("anna", "handed_over", True, False)], "ben has it still"
    ended = transcript(
        customer("09:00:00"),
        assigned("09:00:02"),
        transferred("09:00:05", account="ben"),
        agent("09:00:09", "ben"),
        closed("09:01"),
    )
    assert told(ended) == [("anna", "handed_over", True, False), ("ben", "closed", True, True)]
    assert [leg.closes for leg in legs(ended)] == [False, True]


def test_a_leg_after_the_answer_is_owed_nothing_until_the_customer_writes_again() -> None:
    answered = [customer("09:00:00"), assigned("09:00:01"), agent("09:00:02"), transferred("09:00:05", account="ben")]
    assert told(transcript(*answered, closed("09:01")))[1] == ("ben", "closed", False, False)
    assert told(transcript(*answered, customer("09:00:30"), left("09:01")))[1] == ("ben", "left", True, False)


def test_a_leg_says_when_it_was_accepted_and_on_which_queue_it_was() -> None:
    play = transcript(
        offered("09:00:00"),
        assigned("09:00:02"),
        accepted("09:00:03"),
        queued("09:00:20", queue="aftersale"),
        assigned("09:00:25", "ben"),
        closed("09:00:40"),
    )
    first, second = legs(play)
    assert (clock_time(first.started_at), clock_time(first.accepted_at or 0)) == ("09:00:02.000", "09:00:03.000")
    assert (first.end, first.queue, second.queue) == ("requeued", "presale", "aftersale")
    assert (first.leg, second.leg, second.accepted_at) == (0, 1, None)


def test_legs_of_a_call_are_owed_until_a_person_answers() -> None:
    play = transcript(
        offered("09:00:00", voice=True),
        assigned("09:00:02"),
        transferred("09:00:20", account="ben"),
        agent("09:00:22", "ben"),
        closed("09:05"),
    )
    assert told(play) == [("anna", "handed_over", True, False), ("ben", "closed", True, True)]
    assert all(leg.voice for leg in legs(play))


def test_a_hand_over_that_comes_in_late_parts_a_leg_that_was_said() -> None:
    play = transcript(
        customer("09:00:00"),
        assigned("09:00:02"),
        closed("09:01"),
        transferred("09:00:30", account="ben", arrives="09:02"),
    )
    assert told(play) == [("anna", "handed_over", True, False), ("ben", "closed", True, False)]
    said = [(fact.leg, fact.revision) for fact in play.facts if isinstance(fact, LegFact)]
    assert said == [(0, 0), (0, 1), (1, 0)]
