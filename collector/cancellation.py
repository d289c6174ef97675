"""Cancellations that got lost on their way."""

import asyncio


def end_if_cancelled() -> None:
    """End a task that was told to and went on; called wherever it would wait for the world again.

    A cancellation is lost when it meets the end of an `asyncio.wait_for` (in which aiomqtt and redis-py wait; up to
    Python 3.11) or a connection that breaks at that moment (its error takes the place of the cancellation). Whoever
    waits for the task would then wait for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
