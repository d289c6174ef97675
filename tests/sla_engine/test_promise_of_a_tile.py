"""The limit and the warning that a tile shows are those that hold now: of a promotion day, and of the contract."""

from msgspec.structs import replace

from sla_engine._core.contract import Contract, QueueWarnings
from sla_engine._core.tiles import ClientPart
from sla_engine.definition_files import parse_definition
from tests.builders import clock, contract, customer, declared, entries, ms, published, signed
from tests.sla_engine.folding import Folding

PROMOTION = parse_definition(
    'based_on = "contract-10s"\neffective_from = 2020-01-01\n'
    'special_days.2026-11-02 = { windows = ["20:00-02:00"], first_response_limit_s = 15 }\n'
)
AGREED = contract(PROMOTION.name)
WARNED = replace(AGREED, warnings=(QueueWarnings("presale", (3_000, 8_000)), QueueWarnings("*", (5_000,))))


def at(now: str, agreed: Contract = AGREED) -> ClientPart:
    folding = Folding()
    known = [published(PROMOTION), signed(agreed), declared("08:00")]
    begins = ms(now) - 4_000
    folding.fold_all(entries([*known, customer(begins, "p"), customer(begins, "a", "aftersale"), clock(now)]))
    return folding.part()


def promised(part: ClientPart) -> dict[str, tuple[int | None, int | None, int]]:
    """Limit, warning and who is due soon, by queue; "" the client's."""
    tiles = {"": part.client} | {tile.id: tile for tile in part.queues}
    return {
        name: (tile.first_response_limit_ms, tile.warning_after_ms, 0 if tile.live is None else tile.live.due_soon)
        for name, tile in tiles.items()
    }


def test_the_limit_of_a_promotion_holds_as_long_as_its_windows() -> None:
    assert promised(at("22:00:00"))["presale"][:2] == (15_000, 6_000)
    assert promised(at("+1 01:00:00"))["presale"][:2] == (15_000, 6_000)
    assert promised(at("+1 09:00:00"))["presale"][:2] == (10_000, 6_000)


def test_each_queue_shows_the_first_warning_that_its_contract_states_and_the_client_the_earliest() -> None:
    assert promised(at("+1 09:00:00")) == dict.fromkeys(("", "presale", "aftersale"), (10000, 6000, 0))
    assert promised(at("+1 09:00:00", WARNED)) == {
        "": (10_000, 3_000, 2),
        "presale": (10_000, 3_000, 1),
        "aftersale": (10_000, 5_000, 0),
    }
