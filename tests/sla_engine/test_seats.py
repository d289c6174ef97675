"""Limits, contracted seats and shops by their own dates."""

from sla_engine._core.seats import Seats, SeatsState
from tests.builders import HOUR_MS
from wire.organisation import Relation, RosterLink


def link(
    relation: Relation, subject: str, target: str, since: int = 0, until: int | None = None, **extra: str
) -> RosterLink:
    return RosterLink(0, 1, "hub", None, True, "", relation, subject, target, since, until, extra)


def seats(*links: RosterLink) -> Seats:
    made = Seats(SeatsState(), limit_default=30)
    for each in links:
        made.enter(each)
    return made


def test_an_accounts_own_limit_comes_before_its_seats_and_that_before_the_usual_one() -> None:
    made = seats(
        link(Relation.PERSON_OF_ACCOUNT, "anna@shop", "anna", limit="8"),
        link(Relation.PERSON_OF_ACCOUNT, "bo@shop", "bo"),
        link(Relation.MODE_OF_SEAT, "b7", "shared", limit="1"),
    )
    assert made.limit_of("anna@shop", "b7", HOUR_MS) == 8
    assert made.limit_of("bo@shop", "b7", HOUR_MS) == 1
    assert made.limit_of("bo@shop", "unassigned", HOUR_MS) == 30


def test_a_limit_that_is_no_number_is_none() -> None:
    made = seats(link(Relation.PERSON_OF_ACCOUNT, "anna@shop", "anna", limit="many"))
    assert made.limit_of("anna@shop", "", 0) == 30


def test_contracted_seats_hold_from_their_date_to_the_next_and_end_where_they_end() -> None:
    made = seats(
        link(Relation.CONTRACTED_SEATS, "acme", "18"),
        link(Relation.CONTRACTED_SEATS, "acme", "30", since=10, until=20),
        link(Relation.CONTRACTED_SEATS, "odd", "some"),
    )
    assert [made.contracted("acme", at) for at in (9, 10, 19, 20)] == [18, 30, 30, None]
    assert made.contracted("odd", 5) is None
    assert made.contracted("nobody", 5) is None


def test_seats_of_a_shop_are_no_seats_of_a_client_of_the_same_name() -> None:
    made = seats(
        link(Relation.CONTRACTED_SEATS, "acme", "18"), link(Relation.CONTRACTED_SEATS_OF_SHOP, "acme", "5", until=10)
    )
    assert (made.contracted("acme", 5), made.contracted_of_shop("acme", 5)) == (18, 5)
    assert (made.contracted_of_shop("acme", 10), made.contracted_of_shop("outlet", 5)) == (None, None)


def test_a_queue_serves_its_shop_of_the_day() -> None:
    made = seats(
        link(Relation.QUEUE_OF_SHOP, "presale", "flagship"), link(Relation.QUEUE_OF_SHOP, "presale", "outlet", since=10)
    )
    assert (made.shop_of("presale", 9), made.shop_of("presale", 10), made.shop_of("voice", 10)) == (
        "flagship",
        "outlet",
        "",
    )


def test_links_about_something_else_are_not_kept() -> None:
    assert seats(link(Relation.SITE_OF_SEAT, "b7", "north")).state.entered == 0
