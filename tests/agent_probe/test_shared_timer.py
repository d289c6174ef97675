"""One timer for several who wait, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from agent_probe.shared_timer import SharedTimer
from tests.agent_probe.virtual_loop import VirtualClock, passes, run_virtually


class World:
    """A timer, and who was called when."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.timer = SharedTimer(self.clock.monotonic_ms)
        self.called: list[tuple[str, int]] = []

    def note(self, name: str) -> Callable[[], None]:
        return lambda: self.called.append((name, self.clock.monotonic_ms()))


def lived(main: Callable[[World], Coroutine[Any, Any, None]]) -> list[tuple[str, int]]:
    async def life() -> list[tuple[str, int]]:
        world = World()
        await main(world)
        return world.called

    return run_virtually(life())


def test_each_is_called_when_it_asked_for_and_once() -> None:
    async def main(world: World) -> None:
        world.timer.call_at(world.note("telecom"), 500)
        world.timer.call_at(world.note("unicom"), 450)
        world.timer.call_at(world.note("mobile"), 500)
        await passes(2_000)

    assert lived(main) == [("unicom", 450), ("telecom", 500), ("mobile", 500)]


def test_who_asks_again_before_is_called_at_the_new_instant_alone_and_who_wants_no_more_never() -> None:
    async def main(world: World) -> None:
        telecom, unicom = world.note("telecom"), world.note("unicom")
        world.timer.call_at(telecom, 450)
        world.timer.call_at(unicom, 450)
        await passes(100)
        world.timer.call_at(telecom, 1_000)
        world.timer.call_at(unicom, None)
        await passes(2_000)

    assert lived(main) == [("telecom", 1_000)]


def test_who_is_called_may_ask_again_and_put_off_who_would_come_next() -> None:
    async def main(world: World) -> None:
        unicom = world.note("unicom")

        def telecom() -> None:
            world.note("telecom")()
            world.timer.call_at(unicom, 700)
            world.timer.call_at(again, 600)

        again = world.note("telecom again")
        world.timer.call_at(telecom, 500)
        world.timer.call_at(unicom, 500)
        await passes(2_000)

    assert lived(main) == [("telecom", 500), ("telecom again", 600), ("unicom", 700)]


def test_one_that_fails_takes_nobody_with_it() -> None:
    async def main(world: World) -> None:
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

        def fails() -> None:
            raise OSError("no such device")

        world.timer.call_at(fails, 500)
        world.timer.call_at(world.note("unicom"), 500)
        world.timer.call_at(world.note("mobile"), 900)
        await passes(2_000)
        assert [type(context["exception"]) for context in failures] == [OSError]

    assert lived(main) == [("unicom", 500), ("mobile", 900)]
