"""A contract that is entered at noon with an earlier date and names another definition first: the morning stays."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sla_engine._core.choices import Redefinition
from sla_engine.runners.local import LocalRunner
from tests.builders import agent, changed, clock, closed, contract, customer, published, rules, signed
from tests.sla_engine.feeding import Feed
from tests.sla_engine.test_local_runner import Hub, folded, running, shown
from tests.waiting import TIMEOUT_S, wait_until
from wire.board import Ratio


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path / "ledger")
    yield made
    made.close()


def _attainment_and_seconds(runner: LocalRunner) -> tuple[Ratio | None, list[tuple[str, int]]]:
    client = shown(runner).client
    return client.day.attainment, [(second.name, second.day.offered) for second in client.seconds]


@pytest.mark.parametrize(
    ("named", "redefinition", "met"),
    [
        (("platform",), Redefinition.NEW_SESSIONS_ONLY, 1),
        (("platform",), Redefinition.RESTATES, 3),
        (("platform", "contract-10s"), Redefinition.NEW_SESSIONS_ONLY, 1),
        (("platform", "contract-10s"), Redefinition.RESTATES, 3),
    ],
)
@pytest.mark.parametrize("defined_at", ["08:00:00", "12:00:00"])
async def test_a_contract_entered_at_noon_that_names_another_definition_first_takes_no_morning_off_the_tiles(
    named: tuple[str, ...], redefinition: Redefinition, met: int, defined_at: str, tmp_path: Path, feed: Feed
) -> None:
    hub = Hub("12:05")
    other = changed(name="platform", first_response_limit_ms=20_000, redefinition=redefinition)
    feed.append([*rules(), published(other, arrives=defined_at)] if defined_at < "12" else rules())
    feed.append([each for c in ("c1", "c2") for each in (customer("09:00", c), agent("09:00:15", c=c))])
    async with running(tmp_path, feed, hub) as runner:
        feed.append([] if defined_at < "12" else [published(other, arrives=defined_at)])
        feed.append([signed(contract(*named, since="00:00"), arrives="12:00:00")])
        feed.append([customer("12:01", "c3"), agent("12:01:15", c="c3"), clock("12:02"), closed("12:03", "c1")])
        await folded(runner, feed)
        # the tiles are made anew under the contract only after the entry was folded
        whole_day = (Ratio(met, 3), [(name, 3) for name in named[1:]])
        await wait_until(lambda: _attainment_and_seconds(runner) == whole_day, what="the whole day on the tile")
        part = shown(runner)
    assert (part.client.day.offered, part.client.day.answered, part.client.day.first_response.count) == (3, 3, 3)
    async with running(tmp_path, feed, hub) as runner:
        assert shown(runner) == part


async def test_a_contract_that_only_changes_the_order_counts_every_session_once(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("12:05")
    other = changed(name="platform", first_response_limit_ms=20_000)
    feed.append([*rules(changed(), other), customer("09:00", "c1"), agent("09:00:15", c="c1")])
    async with running(tmp_path, feed, hub) as runner:
        feed.append([signed(contract("platform", "contract-10s", since="00:00"), arrives="12:00:00")])
        feed.append([customer("12:01", "c3"), agent("12:01:15", c="c3"), clock("12:02")])
        await folded(runner, feed)
        whole_day = (Ratio(2, 2), [("contract-10s", 2)])
        await wait_until(lambda: _attainment_and_seconds(runner) == whole_day, what="the whole day on the tile")
        day = shown(runner).client.day
        assert (day.offered, day.answered) == (2, 2)
        (second,) = shown(runner).client.seconds
        assert (second.name, second.day.attainment) == ("contract-10s", Ratio(0, 2))


async def test_while_tiles_are_made_anew_under_a_contract_those_from_before_it_stay(tmp_path: Path, feed: Feed) -> None:
    hub = Hub("12:05")
    other = changed(name="platform", first_response_limit_ms=20_000)
    feed.append([*rules(changed(), other), customer("09:00", "c1"), agent("09:00:15", c="c1")])
    async with running(tmp_path, feed, hub) as runner:
        await folded(runner, feed)
        seen = [_attainment_and_seconds(runner)]
        feed.append([signed(contract("platform", "contract-10s", since="00:00"), arrives="12:00:00")])

        async with asyncio.timeout(TIMEOUT_S):
            while seen[-1] != (Ratio(1, 1), [("contract-10s", 1)]):
                await asyncio.sleep(0)  # every turn of the loop, as whoever asks for the board may come in any of them
                seen.append(_attainment_and_seconds(runner))
        assert set(map(repr, seen)) == {repr(seen[0]), repr(seen[-1])}
