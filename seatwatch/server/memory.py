"""Garbage collections that do not hold announcements up."""

import gc

from seatwatch.server.engines import Engines


async def settle_memory(engines: Engines, rarer: int) -> None:
    """Keep Python's full garbage collections few and short: each stops the event loop, and with it every announcement.

    What is there once every ledger has been caught up with (modules, configuration, the engines' tables) stays until
    the process ends and is not looked through again. From then on full collections are `rarer` times as rare.
    """
    for runner in engines.runners.values():
        await runner.caught_up.wait()
    gc.collect()
    gc.freeze()
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, old * rarer)
