from sla_engine._core.engine import place_of
from tests.builders import agent, assigned, customer, ms, rules, transcript, works
from wire.ids import UNASSIGNED
from wire.verdict import Place

EARLY = works("anna", "wang", "red", "seat-1", "site-1", since="00:00")
MOVED = works("anna", "li", "blue", "seat-2", "site-2", since="12:00")


def test_place_is_the_one_in_force_at_the_time_of_the_event() -> None:
    before = [*rules(), *MOVED, *EARLY]
    morning = transcript(customer("11:59:55"), agent("11:59:59.999"), given=before).session()
    noon = transcript(customer("11:59:55"), agent("12:00:00"), given=before).session()
    assert morning.place == Place("anna", "wang", "red", "seat-1", "site-1", UNASSIGNED)
    assert noon.place == Place("anna", "li", "blue", "seat-2", "site-2", UNASSIGNED)


def test_an_account_the_roster_does_not_know_is_unassigned_and_keeps_its_name() -> None:
    play = transcript(customer("09:00:00"), agent("09:00:01", account="temp-7"), given=[*rules(), *MOVED])
    assert play.session().place == Place("temp-7", *[UNASSIGNED] * 5)
    assert place_of(play.shard, "anna", ms("11:59")) == Place("anna", *[UNASSIGNED] * 5)


def test_a_session_nobody_took_belongs_to_nobody() -> None:
    assert transcript(customer("09:00:00")).session().place == Place(*[UNASSIGNED] * 6)


def test_a_link_entered_later_with_the_same_start_holds() -> None:
    again = works("anna", "zhao", "green", "seat-3", "site-3", since="12:00", arrives="10:00")
    play = transcript(given=[*rules(), *EARLY, *MOVED, *again])
    assert place_of(play.shard, "anna", ms("13:00")).person == "zhao"
    assert place_of(play.shard, "anna", ms("09:00")).person == "wang"


def test_whoever_had_it_in_hands_when_it_was_due_owns_the_miss() -> None:
    play = transcript(
        customer("09:00:00"), assigned("09:00:01", "anna"), assigned("09:00:30", "ben"), given=[*rules(), *EARLY]
    )
    assert play.session().place.account == "anna"
    assert play.session().place.team == "red"
