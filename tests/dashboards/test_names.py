"""Screens show the names people gave; whoever has none is shown under the id."""

import msgspec

from dashboards.wallboard._core.board import scoped
from dashboards.wallboard._core.names import Names, named
from seatwatch.config import ClientSection, Config
from seatwatch.config_names import NamedSection
from tests.dashboards.boards import board, site, tile
from wire.scope import Scope


def test_clients_queues_and_sites_are_shown_by_their_names_and_the_rest_by_their_ids() -> None:
    shown = board(
        clients=[tile("client", "acme", "acme", name="acme")],
        queues=[tile(id_="sales", name="sales"), tile(id_="sales", client="bolt", name="sales")],
        teams=[tile("team", "red", name="red")],
        site_figures=[tile("site", "sh1", name="sh1")],
        sites=[site("sh1", name="sh1"), site("cd2", name="cd2")],
    )
    names = Names(
        clients={"acme": "Acme Outdoor"},
        queues={("acme", "sales"): "Pre-sale", ("bolt", "sales"): ""},
        sites={"sh1": "Shanghai 1", "cd2": ""},
    )
    result = named(shown, names)
    assert [one.name for one in result.clients] == ["Acme Outdoor"]
    assert [one.name for one in result.queues] == ["Pre-sale", "sales"]
    assert [one.name for one in result.teams] == ["red"]
    assert [one.name for one in result.site_figures] == ["Shanghai 1"]
    assert [one.name for one in result.sites] == ["Shanghai 1", "cd2"]
    assert [one.id for one in result.queues] == ["sales", "sales"]


def test_names_that_override_directions_turn_nothing_on_a_board_whoever_gave_them() -> None:
    given = Config(
        client=[ClientSection(id="acme", name="Acme \u202egnol", queue=[NamedSection(id="chat", name="\u0634 1")])]
    )
    shown = board(
        clients=[tile("client", "acme", "acme", name="acme"), tile("client", "bolt", "bolt", name="Bolt \u202ex")],
        queues=[tile(id_="chat", name="chat")],
        sites=[site("sh1", name="sh\u20661")],
    )
    result = named(shown, given.names())
    assert [one.name for one in result.clients] == ["Acme gnol", "Bolt x"]
    assert [one.name for one in result.queues] == ["\u2068\u0634 1\u2069"]
    assert [one.name for one in result.sites] == ["sh1"]


def test_shops_and_teams_are_shown_by_their_names_while_what_a_reader_may_see_goes_by_ids() -> None:
    dark = site(
        "sh1", "power_lost", clients=["acme"], teams=["red", "t-02"], shops={"acme": ["a1", "a2"], "bolt": ["a1"]}
    )
    shown = board(teams=[tile("team", "red", name="red"), tile("team", "t-02", name="t-02")], sites=[dark])
    names = Names(shops={("acme", "a1"): "Flagship"}, teams={"red": "Early shift"})
    result = scoped(named(shown, names), Scope(teams=frozenset({"red"})))
    assert [one.name for one in result.teams] == ["Early shift"]
    assert result.sites[0].teams == ["red"]
    assert result.sites[0].shops == {"acme": ["Flagship", "a2"], "bolt": ["a1"]}


def test_readers_of_english_see_the_english_names_and_where_there_is_none_the_others() -> None:
    shown = board(
        clients=[tile("client", "acme", name="acme")],
        queues=[tile(id_="sales", name="sales"), tile(id_="care", name="care")],
        sites=[site("sh1", name="sh1", shops={"acme": ["a1", "a2"], "bolt": ["b1"]})],
    )
    english = Names(
        clients={"acme": "Acme Outdoor"}, queues={("acme", "sales"): "Pre-sale"}, shops={("acme", "a1"): "Flagship"}
    )
    given = {("acme", "sales"): "\u552e\u524d", ("acme", "care"): "\u552e\u540e"}
    names = Names(
        queues=given,
        sites={"sh1": "\u4e0a\u6d77"},
        english=msgspec.structs.replace(english, queues={**given, **english.queues}, sites={"sh1": "\u4e0a\u6d77"}),
    )
    both = scoped(named(shown, names), Scope(clients=frozenset({"acme"})))
    assert [(one.name, one.name_en) for one in both.queues] == [
        ("\u552e\u524d", "Pre-sale"),
        ("\u552e\u540e", ""),
    ]
    assert [(one.name, one.name_en) for one in both.clients] == [("acme", "Acme Outdoor")]
    (place,) = both.sites
    assert (place.name, place.name_en) == ("\u4e0a\u6d77", "")
    assert (place.shops, place.shops_en) == ({"acme": ["a1", "a2"]}, {"acme": ["Flagship", "a2"]})
    assert named(shown, names.told_in("zh-CN")) == named(shown, names)
    assert [one.name for one in named(shown, names.told_in("en")).queues] == ["Pre-sale", "\u552e\u540e"]


def test_rows_of_a_table_are_called_as_what_they_are() -> None:
    names = Names(
        shops={("acme", "a1"): "Flagship", ("bolt", "a1"): "Outlet"}, teams={"red": "Early shift"}, sites={"sh1": ""}
    )
    rows = [
        ("shop", "a1"),
        ("team", "red"),
        ("team", "blue"),
        ("site", "sh1"),
        ("agent", "red"),
        ("shop", "n~E5~94~AE"),
    ]
    assert [names.of_rows(by, "acme")(row) for by, row in rows] == [
        "Flagship",
        "Early shift",
        "blue",
        "sh1",
        "red",
        "\u552e",
    ]


def test_a_queue_whose_name_was_spelled_as_an_id_is_shown_under_that_name() -> None:
    spelled = "n~E5~94~AE~E5~89~8D"
    (queue,) = named(board(queues=[tile(id_=spelled, name=spelled)]), Names()).queues
    assert (queue.id, queue.name) == (spelled, "\u552e\u524d")
