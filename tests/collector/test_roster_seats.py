"""What a roster says of seats: their mode, and how many are contracted for a client or a shop."""

from pathlib import Path

import pytest

from collector._core.roster import clients_of
from tests.collector.test_roster import found, links_of, row
from wire.organisation import Relation


def test_seats_have_a_mode_and_clients_contracted_seats(tmp_path: Path) -> None:
    *_, mode, count = links_of(
        tmp_path, row(seat="A-01", seat_mode="Dedicated"), row(client="acme", contracted_seats="18")
    )
    assert mode[:3] == (Relation.MODE_OF_SEAT, "A-01", "dedicated")
    assert count[:3] == (Relation.CONTRACTED_SEATS, "acme", "18")


@pytest.mark.parametrize("client", ["acme", ""])
def test_seats_beside_a_shop_are_the_shops_and_go_into_its_clients_ledger(client: str, tmp_path: Path) -> None:
    shop = row(client="acme", shop="flagship")
    stated = links_of(tmp_path, shop, row(client=client, shop="flagship", contracted_seats="6"))
    (count,) = [link for link in stated if link.relation.startswith("contracted_seats")]
    assert count[:3] == (Relation.CONTRACTED_SEATS_OF_SHOP, "flagship", "6")
    assert clients_of(stated)[count] == {"acme"}


def test_seats_of_a_shop_of_no_client_are_refused(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, row(shop="nowhere", contracted_seats="6"))
    assert problem.what == "shop nowhere belongs to no client"
