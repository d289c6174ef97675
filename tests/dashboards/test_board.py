from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.wallboard._core.board import GROUPS, SCALARS, Seen, apply, diff, scoped, to_json
from tests.dashboards.boards import NOON, board, figures, floor, people, site, tile, waiting
from tests.dashboards.people import person
from wire.board import Board, SeatTile, SiteTile, Tile
from wire.scope import EVERYTHING, Scope

CLIENTS = ("acme", "beta")
SITES = ("sh1", "gz3", "cd2")
ACME = Scope(clients=frozenset({"acme"}), sites=frozenset({"sh1"}))
SCOPES = (
    EVERYTHING,
    ACME,
    Scope(clients=frozenset({"beta"})),
    Scope(sites=frozenset({"gz3"})),
    Scope(clients=frozenset(), sites=frozenset()),
)


def tiles(scope: str, ids: tuple[str, ...] = ("a", "b", "c")) -> st.SearchStrategy[list[Tile]]:
    one = st.builds(
        tile,
        scope=st.just(scope),
        id_=st.sampled_from(ids),
        client=st.sampled_from(CLIENTS),
        live=st.sampled_from([None, waiting(NOON), waiting(NOON, 4_000), waiting(NOON, 11_000, 2_000)]),
        day=st.builds(figures, met=st.integers(0, 9), judged=st.integers(9, 12)),
        agents=st.sampled_from([[], people(), people(idle=0)]),
        stale_since=st.sampled_from([None, NOON - 9_000]),
        name=st.text(max_size=5),
    )
    return st.lists(one, max_size=4, unique_by=lambda t: (t.client, t.id))


def sites_() -> st.SearchStrategy[list[SiteTile]]:
    one = st.builds(
        site,
        id_=st.sampled_from(SITES),
        state=st.sampled_from(["ok", "on_battery", "silent"]),
        charge_percent=st.sampled_from([None, 40, 100]),
    )
    return st.lists(one, max_size=3, unique_by=lambda s: s.id)


boards = st.builds(
    board,
    now=st.integers(NOON, NOON + 5),
    clients=tiles("client", CLIENTS),
    queues=tiles("queue"),
    teams=tiles("team"),
    site_figures=tiles("site", SITES),
    sites=sites_(),
    entries=st.integers(0, 5),
    gaps=st.integers(0, 5),
)


@given(old=boards, new=boards, scope=st.sampled_from(SCOPES))
def test_a_difference_applied_to_the_old_view_gives_the_new_one(old: Board, new: Board, scope: Scope) -> None:
    before, after = to_json(old, scope), to_json(new, scope)
    untouched = msgspec.json.encode(before)
    delta = msgspec.json.decode(msgspec.json.encode(diff(before, after)))
    assert apply(before, delta) == after
    assert msgspec.json.encode(before) == untouched, "the view that a slow screen still holds is left as it is"


@given(shown=st.lists(boards, min_size=2, max_size=4), scope=st.sampled_from(SCOPES))
def test_a_view_made_from_the_one_before_is_the_view_made_from_nothing(shown: list[Board], scope: Scope) -> None:
    seen = Seen(scoped(shown[0], scope), to_json(shown[0], scope))
    for one in shown[1:]:
        before = msgspec.json.encode(seen.view)
        view = to_json(one, scope, seen)
        assert view == to_json(one, scope)
        assert msgspec.json.encode(seen.view) == before
        seen = Seen(scoped(one, scope), view)


def test_of_a_tile_that_has_not_changed_nothing_is_made_again() -> None:
    first = board(queues=[tile(), tile(id_="mail")])
    view = to_json(first, EVERYTHING)
    again = to_json(board(NOON + 100, queues=[tile(), tile(id_="mail", agents=[])]), EVERYTHING, Seen(first, view))
    assert again["queues"]["acme|chat"] is view["queues"]["acme|chat"]
    assert again["queues"]["acme|mail"]["day"] is view["queues"]["acme|mail"]["day"]
    assert again["queues"]["acme|mail"]["agents"] == []


@given(mine=boards, theirs=boards, other=boards)
def test_changing_another_client_changes_no_byte_of_what_a_client_sees(
    mine: Board, theirs: Board, other: Board
) -> None:
    def mixed(rest: Board) -> Board:
        def of(group: str) -> list[Tile]:
            ours = [t for t in getattr(mine, group) if t.client == "acme"]
            return [t for t in getattr(rest, group) if t.client != "acme"] + ours

        kept = [s for s in mine.sites if s.id == "sh1"]
        return msgspec.structs.replace(
            mine,
            **{group: of(group) for group in ("clients", "queues", "teams", "site_figures")},
            sites=[*(s for s in rest.sites if s.id != "sh1"), *kept],
            watermark=rest.watermark,
            entries=rest.entries,
            gaps=rest.gaps,
        )

    assert msgspec.json.encode(to_json(mixed(theirs), ACME)) == msgspec.json.encode(to_json(mixed(other), ACME))


@given(shown=boards, scope=st.sampled_from(SCOPES))
def test_nothing_outside_the_scope_is_left_in_a_scoped_board(shown: Board, scope: Scope) -> None:
    seen = scoped(shown, scope)
    for group in ("clients", "queues", "teams", "site_figures"):
        kept = getattr(seen, group)
        assert all(scope.sees_client(t.client) for t in kept)
        visible = [t for t in getattr(shown, group) if scope.sees_client(t.client)]
        assert kept == [t for t in visible if group != "site_figures" or scope.sees_site(t.id)]
    assert seen.sites == [s for s in shown.sites if scope.sees_site(s.id)]
    assert seen.entries in {0, shown.entries if scope == EVERYTHING else 0}


def test_a_view_is_plain_json_and_keeps_no_data_as_null() -> None:
    view = to_json(board(queues=[tile(live=None, attainment_target=None)], watermark=None), EVERYTHING)
    assert set(view) == {*SCALARS, *GROUPS}
    assert msgspec.json.decode(msgspec.json.encode(view)) == view
    shown = view["queues"]["acme|chat"]
    assert (shown["live"], shown["attainment_target"], view["watermark"]) == (None, None, None)
    assert shown["day"]["attainment"] == {"part": 12, "whole": 13}


def test_what_a_scrape_counts_is_not_sent_to_screens() -> None:
    view = to_json(floor(Random(1), queues=3), EVERYTHING)
    assert all("totals" not in shown for shown in view["queues"].values())


def test_a_difference_names_only_what_changed() -> None:
    old = to_json(board(queues=[tile(), tile(id_="mail")], sites=[site()]), EVERYTHING)
    new = to_json(board(NOON + 100, queues=[tile(agents=[])], sites=[site()]), EVERYTHING)
    delta = diff(old, new)
    assert delta["changes"] == {"queues": {"acme|chat": {"agents": []}, "acme|mail": None}}
    assert delta["as_of"] == NOON + 100


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_the_record_is_counted_only_for_those_who_may_see_everything(scope: Scope) -> None:
    view = to_json(board(entries=77, watermark=5), scope)
    assert (view["record"] is not None) == (scope == EVERYTHING)
    assert view["watermark"] == (5 if scope == EVERYTHING else None)


def test_whose_people_sit_at_a_site_is_told_to_nobody_but_them() -> None:
    teams = [tile("team", "red", "acme"), tile("team", "blue", "beta")]
    shops = {"acme": ["flagship"], "beta": ["outlet"]}
    dark = site("sh1", "silent", clients=["acme", "beta"], teams=["blue", "red"], shops=shops)
    shown = board(teams=teams, sites=[dark])
    assert to_json(shown, ACME)["sites"]["sh1"]["shops"] == {"acme": ["flagship"]}
    assert to_json(shown, ACME)["sites"]["sh1"]["teams"] == ["red"]
    assert to_json(shown, ACME)["sites"]["sh1"]["clients"] == ["acme"]
    assert to_json(shown, EVERYTHING)["sites"]["sh1"]["clients"] == ["acme", "beta"]


def test_a_scope_of_teams_shows_their_people_and_the_seats_they_sit_at_alone() -> None:
    seats = [SeatTile(id_, "sh1", "A", "1", None) for id_ in ("sh1/seat-01", "sh1/seat-02", "sh1/seat-03")]
    shown = board(
        teams=[tile("team", "north"), tile("team", "south")],
        people=[person("p1", team="north", seat=seats[0].id), person("p2", team="south", seat=seats[1].id)],
        seats=seats,
    )
    seen = scoped(shown, Scope(teams=frozenset({"north"})))
    assert [each.id for each in seen.teams] == ["north"]
    assert [each.id for each in seen.people] == ["p1"]
    assert [each.id for each in seen.seats] == ["sh1/seat-01"]
    assert scoped(shown, EVERYTHING) == shown
