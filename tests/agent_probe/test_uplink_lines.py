"""The uplink over lines that come and go: which one it takes, when it gives one up, when it tries again."""

import itertools

from agent_probe._core.line_choice import LineNow
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.test_uplink import World, with_uplink
from tests.agent_probe.virtual_loop import passes
from wire.uplink import LineReason, LineState


def line(name: str, state: LineState, *, reachable: bool | None = None, silent_since: int | None = None) -> LineNow:
    return LineNow(name, state, LineReason.OK, reachable, f"address of {name}", silent_since)


def test_a_connection_over_a_line_that_went_down_is_made_again_at_once_over_the_other() -> None:
    async def story(world: World) -> None:
        world.lines.update(line("a", LineState.UP))
        world.lines.update(line("b", LineState.UP))
        world.put()
        await passes(1_000)
        world.lines.update(line("a", LineState.SUSPECT))
        await passes(1_000)
        world.lines.update(line("a", LineState.DOWN))
        await passes(1)
        world.put()
        await passes(1_000)

    world = with_uplink(story)
    assert world.bound_to == ["address of a", "address of b"]
    assert world.broker.attempts == [0, 2_000]
    assert world.outbox.settled
    assert world.lines.carrying == ""


def test_the_first_connection_waits_for_a_line_that_works_but_not_for_ever() -> None:
    async def story(world: World) -> None:
        world.lines.expect(2)
        await passes(300)
        world.lines.update(line("a", LineState.UNKNOWN))
        world.lines.update(line("b", LineState.UNKNOWN))
        await passes(300)
        world.lines.update(line("b", LineState.UP))
        await passes(1_000)

    world = with_uplink(story)
    assert (world.broker.attempts, world.bound_to) == ([600], ["address of b"])

    async def nothing_known(world: World) -> None:
        world.lines.expect(2)
        await passes(6_000)

    assert with_uplink(nothing_known).broker.attempts == [SETTINGS.uplink.connect_ms]


def both_lines(world: World, state: LineState, *, reachable: bool | None = None) -> None:
    silent_since = 1_000 if state is LineState.DOWN and not reachable else None
    for name in "ab":
        world.lines.update(line(name, state, reachable=reachable, silent_since=silent_since))


def test_a_connection_that_was_lost_with_both_lines_is_made_again_when_one_answers() -> None:
    async def story(world: World) -> None:
        world.lines.expect(2)
        both_lines(world, LineState.UP)
        await passes(2_000)
        both_lines(world, LineState.DOWN)
        await passes(1_000)
        world.broker.cut()
        await passes(1_500)
        world.broker.up = True
        world.lines.update(line("b", LineState.DOWN, reachable=True))
        await passes(100)

    world = with_uplink(story)
    assert (world.broker.attempts, world.bound_to) == ([0, 4_500], ["address of a", "address of b"])


def test_connecting_over_a_line_that_swallows_everything_is_given_up_when_another_answers() -> None:
    async def story(world: World) -> None:
        world.lines.expect(2)
        world.broker.swallows = True
        both_lines(world, LineState.DOWN)
        await passes(7_000)
        world.broker.swallows = False
        world.lines.update(line("b", LineState.DOWN, reachable=True))
        await passes(100)

    world = with_uplink(story)
    assert world.broker.attempts == [SETTINGS.uplink.connect_ms, 7_000]
    assert world.bound_to == ["address of a", "address of b"]
    assert world.uplink.figures.connections == 1


def test_connecting_over_a_line_that_dies_meanwhile_is_given_up_for_the_other() -> None:
    async def story(world: World) -> None:
        world.lines.expect(2)
        world.broker.swallows = True
        both_lines(world, LineState.UP)
        await passes(2_000)
        world.broker.swallows = False
        world.lines.update(line("a", LineState.DOWN, silent_since=100))
        await passes(100)

    assert with_uplink(story).broker.attempts == [0, 2_000]


def test_a_line_that_is_back_ends_the_wait_after_a_failure() -> None:
    async def story(world: World) -> None:
        world.lines.expect(2)
        world.broker.up = False
        both_lines(world, LineState.DOWN)
        await passes(5_050)
        world.broker.up = True
        world.lines.update(line("b", LineState.DOWN, reachable=True))
        await passes(100)

    assert with_uplink(story).broker.attempts == [SETTINGS.uplink.connect_ms, 5_050]


def test_a_connection_that_a_hiccup_of_its_line_killed_is_made_again_at_once_and_a_lost_hub_is_not_besieged() -> None:
    async def story(world: World) -> None:
        both_lines(world, LineState.UP)
        await passes(10_000)
        world.lines.update(line("a", LineState.SUSPECT, silent_since=9_000))
        await passes(1_000)
        both_lines(world, LineState.UP)
        await passes(1_000)
        world.broker.cut()
        await passes(60_000)

    attempts = with_uplink(story).broker.attempts
    assert attempts[:2] == [0, 12_000]
    assert all(after - before >= 200 for before, after in itertools.pairwise(attempts[1:]))
