"""A queue's second figure: the same sessions under another definition of its contract, beside the first."""

from sla_engine._core.definition import label_of
from sla_engine._core.tiles import ClientPart
from tests.builders import (
    PRESET,
    Event,
    agent,
    changed,
    clock,
    contract,
    customer,
    declared,
    entries,
    published,
    rules,
    signed,
)
from tests.sla_engine.folding import Folding
from wire.board import Mean, Ratio, Tile

STRICT = changed(
    name="platform-4s", title="platform rules", official=False, first_response_limit_ms=4_000, warning_after_ms=2_000
)


def after(*events: Event, given: list[Event] | None = None) -> ClientPart:
    folding = Folding()
    folding.fold_all(entries([*(given or rules(PRESET, STRICT)), *events]))
    return folding.part()


def queue_of(part: ClientPart, queue: str = "presale") -> Tile:
    (tile,) = [tile for tile in part.queues if tile.id == queue]
    return tile


def test_one_reply_is_in_time_by_the_contract_and_late_by_the_platforms_rules() -> None:
    part = after(customer("09:00"), agent("09:00:05"), clock("09:01"))
    for tile in (queue_of(part), part.client):
        assert tile.day.attainment == Ratio(1, 1)
        (second,) = tile.seconds
        assert (second.name, second.definition, second.title) == ("platform-4s", label_of(STRICT), "platform rules")
        assert not second.official
        assert (second.day.attainment, second.interval.attainment) == (Ratio(0, 1), Ratio(0, 1))
        assert second.day.first_response == Mean(5_000, 1)


def test_a_correction_moves_both_figures() -> None:
    part = after(customer("09:00"), clock("09:00:20"), agent("09:00:03", arrives="09:00:30"), clock("09:01"))
    assert queue_of(part).day.attainment == Ratio(1, 1)
    assert queue_of(part).seconds[0].day.attainment == Ratio(1, 1)


def test_teams_and_sites_show_the_contracts_own_figure_only() -> None:
    part = after(customer("09:00"), agent("09:00:05"), clock("09:01"))
    assert [tile.seconds for tile in (*part.teams, *part.sites)] == [[], []]


def test_a_client_shows_a_second_figure_only_where_all_of_its_queues_have_it() -> None:
    apart = [
        declared(0),
        published(PRESET),
        published(STRICT),
        signed(contract(PRESET.name, STRICT.name, queues=["presale"], name="both")),
        signed(contract(PRESET.name, queues=["aftersale"], name="one")),
    ]
    talk = [customer("09:00"), agent("09:00:05"), customer("09:00", "c2", queue="aftersale"), clock("09:01")]
    part = after(*talk, given=apart)
    assert [second.name for second in queue_of(part).seconds] == ["platform-4s"]
    assert queue_of(part, "aftersale").seconds == []
    assert part.client.seconds == []


def test_a_second_figure_of_nothing_is_no_data() -> None:
    part = after(customer("09:00"), clock("09:00:01"))
    (second,) = queue_of(part).seconds
    assert (second.day.attainment, second.day.offered) == (Ratio(0, 0), 0)


def test_a_new_day_starts_empty_for_both() -> None:
    folding = Folding()
    talk = [customer("09:00"), agent("09:00:05"), clock("+1 05:00")]
    folding.fold_all(entries([*rules(PRESET, STRICT), *talk]))
    tile = queue_of(folding.part())
    assert (tile.day.attainment, tile.seconds[0].day.attainment) == (Ratio(0, 0), Ratio(0, 0))
