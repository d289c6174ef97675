"""From one board to many screens: each screen has one slot, and the newest board wins it.

Nothing is queued for a screen. When it can take bytes again it is sent the difference between the board it has and the
newest one; what lay between is skipped and counted. Screens of the same sight that have the same board share the bytes.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from dashboards.snapshot import ScreenFigures
from dashboards.wallboard._core.board import Seen, View, diff, to_json
from dashboards.wallboard._core.sight import Sight
from dashboards.wallboard.settings import WallboardSettings
from wire.board import Board
from wire.scope import Scope

_encode = msgspec.json.Encoder().encode


class TooManyScreensError(Exception):
    """The world's state: `screens_max` screens are connected; the next one is to come back later."""


def event(name: str, data: bytes) -> bytes:
    """One server-sent event. `data` is JSON on one line."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


class Screen:
    """One connected screen: what it was sent last, and a wake-up for when there is more."""

    def __init__(self, group: "_Group", transport: asyncio.Transport) -> None:
        self.group = group
        self.transport = transport
        self.awake = asyncio.Event()
        self.greeted = False
        self.view: View | None = None
        self.version = 0
        self.next_tick_at = 0.0
        self.took_bytes_at = 0.0

    @property
    def congested(self) -> bool:
        """Whether bytes sent earlier are still waiting on this side."""
        return self.transport.get_write_buffer_size() > 0


class _Group:
    """The screens of one sight: the view they share, and its bytes, made once per board."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.screens = 0
        self.view: View | None = None
        self.version = 0
        self._seen: Seen | None = None
        self._whole: msgspec.Raw | None = None
        self._deltas: dict[int, bytes] = {}

    def show(self, board: Board | None, version: int) -> None:
        """Take the newest board, unless this is it."""
        if board is not None and version != self.version:
            cut = self.sight.cut(board)
            self.view = to_json(cut, self.sight.scope, self._seen)
            self._seen = Seen(cut, self.view)
            self.version = version
            self._whole = None
            self._deltas.clear()

    def whole(self) -> msgspec.Raw:
        """The view as JSON."""
        if self._whole is None:
            self._whole = msgspec.Raw(_encode(self.view))
        return self._whole

    def delta(self, view: View, version: int) -> bytes:
        """The event that turns `view`, which was `version`, into the newest one."""
        found = self._deltas.get(version)
        if found is None:
            found = self._deltas[version] = event("delta", _encode(diff(view, self.view or {})))
        return found


class Hub:
    """Takes boards from the engine's side and hands bytes to screens. Lives on one event loop.

    boot_id: differs per start of the process. clock_ms: wall clock, ms since the Unix epoch.
    """

    def __init__(self, settings: WallboardSettings, *, boot_id: str, clock_ms: Callable[[], int]) -> None:
        self.settings = settings
        self.boot_id = boot_id
        self.page = ""
        """Changes when the page's own files change; a screen then reloads itself. Set by the server."""
        self.closing = False
        self._clock_ms = clock_ms
        self._board: Board | None = None
        self._pending: Board | None = None
        self._version = 0
        self._pushed_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._groups: dict[Sight, _Group] = {}
        self._screens: set[Screen] = set()
        self._refused = 0
        self._frames = 0
        self._dropped = 0

    def publish(self, board: Board) -> None:
        """Show `board` on every screen, at once or when the push interval since the last one has passed."""
        if self.closing:
            return
        self._pending = board
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait_s = self._pushed_at + self.settings.push_interval_ms / 1000 - loop.time()
            if wait_s <= 0:
                self._push()
            else:
                self._timer = loop.call_later(wait_s, self._push)

    def _push(self) -> None:
        self._timer = None
        self._board, self._pending = self._pending, None
        self._version += 1
        self._pushed_at = asyncio.get_running_loop().time()
        for screen in self._screens:
            screen.awake.set()

    def board_json(self, scope: Scope) -> bytes | None:
        """The newest board under `scope` as JSON, or None before there is one."""
        if self._board is None:
            return None
        sight = Sight(scope=scope)
        group = self._groups.get(sight) or _Group(sight)
        group.show(self._board, self._version)
        return bytes(group.whole())

    @property
    def needs_people(self) -> bool:
        """Whether some screen shows people one by one."""
        return any(sight.needs_people for sight in self._groups)

    @property
    def board(self) -> Board | None:
        """The newest board that was shown."""
        return self._board

    def connect(self, sight: Sight, transport: asyncio.Transport) -> Screen:
        """Admit a screen. Raises TooManyScreensError."""
        if len(self._screens) >= self.settings.screens_max:
            self._refused += 1
            raise TooManyScreensError
        group = self._groups.setdefault(sight, _Group(sight))
        group.screens += 1
        screen = Screen(group, transport)
        self._screens.add(screen)
        return screen

    def disconnect(self, screen: Screen) -> None:
        """Forget a screen, and its group with the last one of it."""
        self._screens.discard(screen)
        screen.group.screens -= 1
        if not screen.group.screens:
            self._groups.pop(screen.group.sight, None)

    async def next_bytes(self, screen: Screen) -> bytes | None:
        """Wait for what this screen is to be sent next; None when it should end. Never returns empty bytes.

        Ends when the hub closes, and when the screen has taken nothing for `write_timeout_ms`.
        """
        loop = asyncio.get_running_loop()
        while not self.closing:
            now_s = loop.time()
            if not screen.congested:
                screen.took_bytes_at = now_s
                data = self._due(screen, now_s)
                if data:
                    return data
            elif now_s - screen.took_bytes_at > self.settings.write_timeout_ms / 1000:
                return None
            wait_s = max(screen.next_tick_at - now_s, 0) if not screen.congested else self._tick_s
            screen.awake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await screen.awake.wait()
            except TimeoutError:
                continue
        return None

    @property
    def _tick_s(self) -> float:
        return self.settings.tick_interval_ms / 1000

    def _due(self, screen: Screen, now_s: float) -> bytes:
        """What the screen lacks at this moment, as events; empty if it lacks nothing."""
        group = screen.group
        group.show(self._board, self._version)
        parts = []
        if not screen.greeted or (screen.view is None and group.view is not None):
            parts.append(event("hello", self._hello(group)))
            screen.greeted = True
        elif screen.view is not None and screen.version != group.version:
            self._dropped += group.version - screen.version - 1
            parts.append(group.delta(screen.view, screen.version))
        if parts:
            self._frames += group.view is not None
            screen.view, screen.version = group.view, group.version
        if now_s >= screen.next_tick_at:
            screen.next_tick_at = now_s + self._tick_s
            as_of = None if group.view is None else group.view["as_of"]
            parts.append(event("tick", _encode({"as_of": as_of, "server_now": self._clock_ms()})))
        return b"".join(parts)

    def _hello(self, group: _Group) -> bytes:
        greeting: dict[str, Any] = {
            "boot_id": self.boot_id,
            "page": self.page,
            "server_now": self._clock_ms(),
            "time_zone": self.settings.time_zone,
            "stale_after_ms": self.settings.stale_after_ms,
            "page_turn_ms": self.settings.page_turn_ms,
            "alarm_repeat_ms": self.settings.alarm_repeat_ms,
            "few_judged": self.settings.few_judged,
            "break_limit_ms": self.settings.break_limit_ms,
            "board": None if group.view is None else group.whole(),
        }
        return _encode(greeting)

    def figures(self) -> ScreenFigures:
        """For the scrape."""
        return ScreenFigures(
            connected=len(self._screens), refused=self._refused, frames=self._frames, frames_dropped=self._dropped
        )

    def close(self) -> None:
        """End every screen's stream; one that is stuck on bytes it does not take is cut off."""
        self.closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for screen in self._screens:
            screen.awake.set()
            if screen.congested:
                screen.transport.abort()
