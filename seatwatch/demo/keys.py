"""Single key presses from a terminal, without Enter; a no-op where there is no terminal."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    import termios
    import tty
except ImportError:  # Windows: the demo runs by its script, without keys
    HAS_KEYS = False
else:
    HAS_KEYS = True


@contextmanager
def key_presses(pressed: Callable[[str], None]) -> Iterator[bool]:
    """Call `pressed` with each key while inside. Yields whether there is a terminal to press keys in."""
    if not (HAS_KEYS and sys.stdin.isatty() and sys.stdout.isatty()):
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    loop = asyncio.get_running_loop()
    tty.setcbreak(terminal)
    loop.add_reader(terminal, lambda: pressed(sys.stdin.read(1)))
    try:
        yield True
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
