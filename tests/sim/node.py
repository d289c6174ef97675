"""A process of the world: started, killed, started again; with the disks of its machine."""

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.sim.clocks import SKEW_MS, WallClock
from tests.sim.disk import SimDisk
from tests.sim.loop import INCARNATION, Incarnation, ProcessDied

if TYPE_CHECKING:
    from tests.sim.world import World


class Node:
    """Subclasses say what the process does (`main`) and what dies with it (`on_death`)."""

    kind = "node"

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.disks: list[SimDisk] = []
        self.machine_mates: list[Node] = []
        self.clock = WallClock(lambda: world.now, SKEW_MS)
        self.incarnation = Incarnation(name, 0)
        self.incarnation.alive = False
        self._context = contextvars.Context()

    @property
    def up(self) -> bool:
        """Whether it runs at present."""
        return self.incarnation.alive

    async def main(self) -> None:
        """The whole life of the process. Returning or raising ends it."""
        raise NotImplementedError

    def on_death(self) -> None:
        """What the rest of the world notices of its end (connections closed)."""

    def may_end_with(self, error: BaseException) -> bool:
        """Whether the process is right to end by this error: after a failed fsync nothing else is safe."""
        if isinstance(error, BaseExceptionGroup):
            return all(self.may_end_with(inner) for inner in error.exceptions)
        return isinstance(error, OSError | ProcessDied)

    def new_disk(self, name: str) -> SimDisk:
        """A file on this machine, forgotten by the same power cuts."""
        disk = SimDisk(f"{self.name}.{name}", self.world.loop, self.world.disk_faults, self.world.marks)
        self.disks.append(disk)
        return disk

    def start(self) -> None:
        """Begin a new life, unless one is running."""
        if self.up:
            return
        self.incarnation = Incarnation(self.name, self.incarnation.number + 1)
        self._context = contextvars.Context()
        self._context.run(INCARNATION.set, self.incarnation)
        self.world.trace("start", self.name, self.incarnation.number)
        self.world.loop.create_task(self._live(self.incarnation), name=self.name, context=self._context)

    def enter(self, action: Callable[..., Any], *args: Any) -> None:
        """Run something inside the process, if it is alive: an arriving message. A paused one finds it later."""
        if self.incarnation.paused:
            self.world.loop.call_soon(action, *args, context=self._context)
        elif self.up:
            self._context.run(action, *args)

    def pause(self, seconds: float) -> None:
        """SIGSTOP, or its machine stalls: nothing of it runs, and it does not know. It resumes by itself."""
        incarnation = self.incarnation
        incarnation.paused = True
        self.world.trace("pause", self.name)

        def resume() -> None:
            self.world.trace("resume", self.name)
            self.world.loop.resume(incarnation)

        self.world.later(seconds, resume)

    def crash(self, *, power: bool, back_after: float | None = None) -> None:
        """kill -9, or the machine loses power. It starts again by itself."""
        if not self.up:
            return
        world = self.world
        self.incarnation.alive = False
        world.trace("crash", self.name, power)
        world.marks.hit("crash.power" if power else "crash.kill")
        world.marks.hit(f"crash.{self.kind}")
        if power:
            for disk in self.disks:
                disk.power_cut()
            for mate in self.machine_mates:
                mate.crash(power=True)
        self.on_death()
        world.later(world.rng.uniform(0.1, 6.0) if back_after is None else back_after, self.start)

    async def _live(self, incarnation: Incarnation) -> None:
        try:
            await self.main()
        except ProcessDied:
            return
        except Exception as error:  # noqa: BLE001 - a process that raises ends, whatever it raised; the world judges the reason
            if incarnation.alive:
                self.world.process_ended(self, error)
