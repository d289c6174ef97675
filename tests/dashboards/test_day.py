"""The day's curve as one reader gets it: what they may see, and sums instead of means."""

import pytest

from dashboards.wallboard._core.day import day_for
from dashboards.wallboard._core.names import Names, named_curve
from tests.dashboards.days import NINETY, curve, day, trouble
from wire.board import Ratio
from wire.day_curve import DayCurve
from wire.scope import EVERYTHING, Scope

ACME = Scope(clients=frozenset({"acme"}), sites=frozenset())


def test_each_reader_is_offered_their_own_clients_and_queues_alone() -> None:
    assert [each["of"] for each in day_for(day(), EVERYTHING, "")["choices"]] == [
        *("acme", "acme|chat"),
        *("beta", "beta|chat"),
    ]
    mine = day_for(day(), ACME, "")
    assert [each["of"] for each in mine["choices"]] == ["acme", "acme|chat"]
    assert (mine["of"], mine["is_together"], mine["troubles"]) == ("acme", False, [])


@pytest.mark.parametrize("of", ["beta", "beta|chat", "nobody", "acme|"])
def test_what_a_reader_may_not_see_is_answered_as_what_does_not_exist(of: str) -> None:
    assert day_for(day(), ACME, of) == day_for(day(), ACME, "")


def test_clients_of_one_promise_have_a_curve_together_of_sums() -> None:
    few = curve("beta", met=[1, 0, 0], judged=[1, 1, 0], offered=[1, 1, None], covered=[Ratio(1, 1)] * 3)
    told = day_for(day([curve("acme"), few]), EVERYTHING, "")
    assert (told["of"], told["is_together"]) == ("", True)
    assert (told["met"], told["judged"], told["offered"]) == ([30, 20, 0], [31, 31, 0], [32, 33, None])
    assert told["targets"] == [(0, NINETY)]
    assert told["covered"] == [Ratio(900, 900), Ratio(450, 900), Ratio(0, 900)], "the least of them"


@pytest.mark.parametrize(
    "other",
    [curve("beta", unit="turn"), curve("beta", targets=[(0, None)]), curve("beta", targets=[(0, NINETY), (1, None)])],
    ids=["unit", "target", "target of a part of the day"],
)
def test_clients_of_unlike_promises_are_not_added_up(other: object) -> None:
    told = day_for(day([curve("acme"), other]), EVERYTHING, "")  # type: ignore[list-item]  # a curve
    assert (told["of"], told["is_together"], told["judged"]) == ("acme", False, [30, 30, 0])


def test_a_queue_has_the_coverage_of_its_client() -> None:
    told = day_for(day(), EVERYTHING, "beta|chat")
    assert told["of"] == "beta|chat"
    assert told["covered"] == [Ratio(900, 900), Ratio(450, 900), Ratio(0, 900)]


def test_a_floor_without_a_client_has_an_empty_day() -> None:
    told = day_for(DayCurve(0, 1, 1, [], []), EVERYTHING, "")
    assert (told["choices"], told["judged"], told["targets"], told["of"]) == ([], [], [], "")


def test_a_reader_is_told_of_troubles_at_their_own_sites() -> None:
    both = day(troubles=[trouble("sh1"), trouble("bj1")])
    told = day_for(both, Scope(sites=frozenset({"bj1"})), "")
    assert [each.site for each in told["troubles"]] == ["bj1"]


def test_clients_queues_and_sites_carry_the_names_of_the_configuration() -> None:
    names = Names(
        clients={"acme": "Acme Ltd"},
        queues={("acme", "chat"): "Chat"},
        sites={"sh1": "Hall"},
        english=Names(clients={"acme": "Acme"}, queues={("acme", "chat"): "Chat"}),
    )
    named = named_curve(day(), names)
    assert [(each.name, each.name_en) for each in named.curves[:3]] == [
        ("Acme Ltd", "Acme"),
        ("Chat", ""),
        ("beta", ""),
    ]
    assert [(each.name, each.name_en) for each in named.troubles] == [("Hall", "")]
