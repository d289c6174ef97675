"""What a screen is sent: the wallboard no people, a team's screen its own, a seat map seats; all within a scope."""

from dashboards.wallboard._core.board import apply, diff, to_json
from dashboards.wallboard._core.sight import Shows, Sight, merged
from tests.dashboards.boards import NOON, board, site, tile
from tests.dashboards.people import person, red, team_board
from wire.board import SeatTile
from wire.scope import EVERYTHING, Scope

ACME = Scope(clients=frozenset({"acme"}))
HERE = Scope(sites=frozenset({"sh1"}))
SEATS = [SeatTile("sh1/01", "sh1", "A", "1", True), SeatTile("cd2/09", "cd2", "B", "1", None)]
SHOWN = team_board(
    person("w1001", 3_000),
    person("w1009", client="beta", seat="cd2/09", site="cd2"),
    person("w1002", team="blue"),
    teams=[red(), tile("team", "red", "beta"), tile("team", "blue", "acme")],
    queues=[tile()],
    sites=[site("sh1"), site("cd2")],
    seats=SEATS,
)


def team(scope: Scope = EVERYTHING, name: str = "red") -> Sight:
    return Sight(scope=scope, shows=Shows.TEAM, team=name)


def floor(scope: Scope = EVERYTHING) -> Sight:
    return Sight(scope=scope, shows=Shows.FLOOR)


def test_a_wallboard_is_sent_nobody() -> None:
    cut = Sight(scope=EVERYTHING).cut(SHOWN)
    assert (cut.people, cut.seats) == ([], [])
    assert len(cut.queues) == 1
    assert not Sight(scope=EVERYTHING).needs_people


def test_a_team_is_sent_its_people_and_its_tiles_and_no_other() -> None:
    cut = team().cut(SHOWN)
    assert [one.id for one in cut.people] == ["w1001", "w1009"]
    assert {one.id for one in cut.teams} == {"red"}
    assert (cut.queues, cut.sites, cut.seats) == ([], [], [])
    assert team().needs_people


def test_a_scope_hides_people_of_other_clients_and_sites() -> None:
    assert [one.id for one in team(ACME).cut(SHOWN).people] == ["w1001"]
    assert [one.id for one in team(HERE).cut(SHOWN).people] == ["w1001"]
    assert [one.client for one in team(ACME).cut(SHOWN).teams] == ["acme"]


def test_a_seat_map_is_sent_every_seat_and_who_may_see_one_client_the_seats_of_its_people() -> None:
    assert [one.id for one in floor().cut(SHOWN).seats] == ["sh1/01", "cd2/09"]
    assert len(floor().cut(SHOWN).people) == 3
    beta = floor(Scope(clients=frozenset({"beta"}))).cut(SHOWN)
    assert ([one.id for one in beta.seats], [one.id for one in beta.people]) == (["cd2/09"], ["w1009"])
    assert [one.id for one in floor(HERE).cut(SHOWN).seats] == ["sh1/01"]


def test_a_screen_of_one_team_sees_no_other_team_and_the_seats_of_its_own_people() -> None:
    blue = Scope(teams=frozenset({"blue"}))
    assert team(blue).cut(SHOWN).people == []
    assert [one.id for one in team(blue, "blue").cut(SHOWN).people] == ["w1002"]
    seats = [SeatTile("sh1/02", "sh1", "A", "2", True), *SEATS]
    cut = floor(blue).cut(team_board(*SHOWN.people, seats=seats))
    assert ([one.id for one in cut.people], [one.id for one in cut.seats]) == (["w1002"], ["sh1/02"])


def test_no_screen_is_sent_the_id_of_a_conversation() -> None:
    view = to_json(team().cut(SHOWN), EVERYTHING)
    assert view["people"]["w1001"]["hands"] == 1
    assert "oldest" not in view["people"]["w1001"]
    assert "c-w1001" not in str(view)


def test_a_person_with_accounts_of_two_clients_is_one() -> None:
    here = person("w1001", 3_000, hands=2, overdue_today=1)
    there = person("w1001", 7_000, client="beta", hands=1, presence="on_break", since=NOON - 5_000, overdue_today=2)
    (one,) = merged([here, there])
    assert (one.presence, one.since, one.hands, one.limit) == ("ready", here.since, 3, 10)
    assert (one.client, one.oldest_since, one.due_at) == ("beta", there.oldest_since, there.due_at)
    assert (one.waiting, one.overdue_today, one.oldest) == (2, 3, there.oldest)


def test_somebody_away_for_one_client_and_untold_of_by_the_other_is_away() -> None:
    away = person("w1001", presence="offline", activity="idle", since=NOON - 9_000)
    untold = person("w1001", client="beta", presence=None, activity=None, since=None)
    (one,) = merged([untold, away])
    assert (one.presence, one.since, one.stale_since) == ("offline", NOON - 9_000, None)


def test_one_name_of_two_clients_that_no_roster_maps_is_two() -> None:
    assert len(merged([person("~cs01"), person("~cs01", client="beta")])) == 2


def test_a_difference_of_two_teams_applied_is_the_other() -> None:
    before = to_json(team().cut(SHOWN), EVERYTHING)
    later = to_json(team().cut(team_board(person("w1001", 4_000), person("w1003"))), EVERYTHING)
    assert apply(before, diff(before, later)) == later
    assert board().people == []
