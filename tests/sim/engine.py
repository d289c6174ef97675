"""The engine of the world (to come)."""
from tests.sim.node import Node


class EngineNode(Node):
    kind = "engine"

    def __init__(self, world, collector):
        super().__init__(world, "hub/engine")

    async def main(self):
        while True:
            await self.world.sleep(1000)

    def caught_up(self):
        return True

    def left(self):
        return ""

    def judge(self):
        pass

    def fact_count(self):
        return 0
