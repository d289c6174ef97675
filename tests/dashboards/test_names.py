"""Screens show the names people gave; whoever has none is shown under the id."""

from dashboards.wallboard._core.names import Names, named
from tests.dashboards.boards import board, site, tile


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


def test_a_queue_whose_name_was_spelled_as_an_id_is_shown_under_that_name() -> None:
    spelled = "n~E5~94~AE~E5~89~8D"
    (queue,) = named(board(queues=[tile(id_=spelled, name=spelled)]), Names()).queues
    assert (queue.id, queue.name) == (spelled, "\u552e\u524d")
