"""From one board to many screens: each screen has one slot, and the newest board wins it.

Nothing is queued for a screen, and no task runs for it: a sweep writes to every screen that can take bytes the
difference between the board it has and the newest one. What lay between is skipped and counted. Screens of the same
sight that have the same board share the bytes, made once; one that takes nothing is passed over.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from dashboards.snapshot import ScreenFigures
from dashboards.wallboard._core.alarms import SeenAlarms
from dashboards.wallboard._core.board import Seen, View, diff, to_json
from dashboards.wallboard._core.sight import Shows, Sight
from dashboards.wallboard.settings import WallboardSettings
from wire.board import Board
from wire.scope import Scope

_encode = msgspec.json.Encoder().encode
# Batch: of writes.
_AT_ONCE: Final = 32
"""Screens written to before the event loop has its turn: about a millisecond."""


class TooManyScreensError(Exception):
    """The world's state: `screens_max` screens are connected; the next one is to come back later."""


def event(name: str, data: bytes) -> bytes:
    """One server-sent event. `data` is JSON on one line."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _framed(data: bytes, *, chunked: bool) -> bytes:
    """`data` as HTTP/1.1 sends a body of unknown length; as it is for HTTP/1.0."""
    return b"%x\r\n%b\r\n" % (len(data), data) if chunked else data


class Screen:
    """One connected screen: what it was sent last, and a word for when it is over.

    may_look: whether whoever opened it still may; asked at every tick.
    """

    def __init__(self, group: "_Group", transport: asyncio.Transport, may_look: Callable[[], bool]) -> None:
        self.group = group
        self.transport = transport
        self.may_look = may_look
        self.over = asyncio.Event()
        self.started = False
        self.chunked = True
        self.view: View | None = None
        self.version = 0
        self.tick = 0
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
        self._ready: dict[tuple[int, int, bool], bytes] = {}

    def show(self, board: Board | None, version: int) -> None:
        """Take the newest board, unless this is it."""
        if board is not None and version != self.version:
            cut = self.sight.cut(board)
            self.view = to_json(cut, self.sight.scope, self._seen)
            self._seen = Seen(cut, self.view)
            self.version = version
            self._whole = None
            self._ready.clear()

    def whole(self) -> msgspec.Raw:
        """The view as JSON."""
        if self._whole is None:
            self._whole = msgspec.Raw(_encode(self.view))
        return self._whole

    def due(self, screen: Screen, tick: "_Tick") -> bytes:
        """What turns the screen's view into the newest one, and the tick if it lacks that; empty if nothing is due."""
        behind = screen.version != self.version
        if not behind and screen.tick == tick.number:
            return b""
        key = screen.version, screen.tick, screen.chunked
        found = self._ready.get(key)
        if found is None:
            parts = [event("delta", _encode(diff(screen.view or {}, self.view or {})))] if behind else []
            if screen.tick != tick.number:
                parts.append(tick.told(None if self.view is None else self.view["as_of"]))
            found = self._ready[key] = _framed(b"".join(parts), chunked=screen.chunked)
        return found

    def forget_ticks(self) -> None:
        """A new tick is due: what was made ready held the last one, or none."""
        self._ready.clear()


class _Tick:
    """The newest tick: its number, and what the server's clock said."""

    def __init__(self, number: int, server_now: int) -> None:
        self.number = number
        self._server_now = server_now

    def told(self, as_of: int | None) -> bytes:
        return event("tick", _encode({"as_of": as_of, "server_now": self._server_now}))


class Hub:
    """Takes boards from the engine's side and hands bytes to screens. Lives on one event loop.

    boot_id: differs per start of the process. clock_ms: wall clock, ms since the Unix epoch.
    """

    def __init__(
        self,
        settings: WallboardSettings,
        *,
        boot_id: str,
        clock_ms: Callable[[], int],
        team_names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """team_names: what teams are called, by language tag and id as `en/t-07`; for those that nobody told of yet."""
        self.settings = settings
        self._team_names: Final = team_names
        self.boot_id = boot_id
        self.page = ""
        """Changes when the page's own files change; a screen then reloads itself. Set by the server."""
        self.closing = False
        self._clock_ms = clock_ms
        self._seen = SeenAlarms()
        self._board: Board | None = None
        self._pending: Board | None = None
        self._version = 0
        self._pushed_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._tick = _Tick(0, 0)
        self._ticked_at = float("-inf")
        self._tick_timer: asyncio.TimerHandle | None = None
        self._to_serve: deque[Screen] = deque()
        self._sweeps_again = False
        self._groups: dict[Sight, _Group] = {}
        self._screens: set[Screen] = set()
        self._refused = 0
        self._frames = 0
        self._dropped = 0

    def publish(self, board: Board) -> None:
        """Show `board` on every screen, at once or when the push interval since the last one has passed."""
        if self.closing:
            return
        self._pending = self._seen.marked(board)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait_s = self._pushed_at + self.settings.push_interval_ms / 1000 - loop.time()
            if wait_s <= 0:
                self._push()
            else:
                self._timer = loop.call_later(wait_s, self._push)

    def quiet(self, sight: Sight, since: Mapping[str, int], by: str) -> None:
        """Somebody saw the alarms of these teams, by key, as far as `sight` has them: every screen tells so at once.

        since: of the surges that were seen, ms. by: as wire.surge has it.
        """
        newest = self._pending or self._board
        if newest is not None:
            self._seen.take(sight.cut(newest), since, self._clock_ms(), by)
            self.publish(newest)

    def _push(self) -> None:
        self._timer = None
        self._board, self._pending = self._pending, None
        self._version += 1
        self._pushed_at = asyncio.get_running_loop().time()
        if (
            self._tick_timer is not None
            and self._pushed_at - self._ticked_at >= self._tick_s * self.settings.early_tick_ratio
        ):
            self._next_tick()
        # whoever publishes goes on at once
        asyncio.get_running_loop().call_soon(self._sweep)

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

    def connect(self, sight: Sight, transport: asyncio.Transport, may_look: Callable[[], bool]) -> Screen:
        """Admit a screen. Raises TooManyScreensError."""
        if len(self._screens) >= self.settings.screens_max:
            self._refused += 1
            raise TooManyScreensError
        group = self._groups.setdefault(sight, _Group(sight))
        group.screens += 1
        screen = Screen(group, transport, may_look)
        self._screens.add(screen)
        return screen

    def start(self, screen: Screen, *, chunked: bool) -> None:
        """Greet a screen whose headers are out, and keep sending until `screen.over`. chunked: how its body is framed.

        It is over when the hub closes, the screen went away, took nothing for `write_timeout_ms` or may not look.
        """
        if self.closing:
            screen.over.set()
            return
        screen.started = True
        screen.chunked = chunked
        screen.took_bytes_at = asyncio.get_running_loop().time()
        screen.tick = self._tick.number
        screen.group.show(self._board, self._version)
        self._greet(screen)
        if self._tick_timer is None:
            self._next_tick()

    def disconnect(self, screen: Screen) -> None:
        """Forget a screen, and its group with the last one of it."""
        screen.over.set()
        self._screens.discard(screen)
        screen.group.screens -= 1
        if not screen.group.screens:
            self._groups.pop(screen.group.sight, None)

    @property
    def _tick_s(self) -> float:
        return self.settings.tick_interval_ms / 1000

    def _next_tick(self) -> None:
        """Begin a new tick, which the next sweep takes along, and see to the one after it."""
        loop = asyncio.get_running_loop()
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        self._ticked_at = loop.time()
        self._tick = _Tick(self._tick.number + 1, self._clock_ms())
        for group in self._groups.values():
            group.forget_ticks()
        self._tick_timer = loop.call_later(self._tick_s, self._on_tick) if self._screens else None

    def _on_tick(self) -> None:
        self._next_tick()
        self._sweep()

    def _sweep(self) -> None:
        """Serve every screen, or once more when the sweep under way is through."""
        if self._to_serve:
            self._sweeps_again = True
            return
        self._to_serve.extend(screen for screen in self._screens if screen.started)
        self._serve_some()

    def _serve_some(self) -> None:
        some = [self._to_serve.popleft() for _ in range(min(_AT_ONCE, len(self._to_serve)))]
        loop = asyncio.get_running_loop()
        if self._to_serve:
            loop.call_soon(self._serve_some)
        elif self._sweeps_again:
            self._sweeps_again = False
            loop.call_soon(self._sweep)
        for screen in some:
            self._serve(screen)

    def _serve(self, screen: Screen) -> None:
        """Write to one screen what it lacks, unless it has not taken what it was written before."""
        if screen.over.is_set():
            return
        now_s = asyncio.get_running_loop().time()
        if screen.transport.is_closing():
            screen.over.set()
        elif screen.congested:
            if now_s - screen.took_bytes_at > self.settings.write_timeout_ms / 1000:
                screen.over.set()
        else:
            screen.took_bytes_at = now_s
            if screen.tick != self._tick.number and not screen.may_look():
                self._write(screen, event("withdrawn", b"{}"))
                screen.over.set()
                return
            screen.group.show(self._board, self._version)
            if screen.view is None and screen.group.view is not None:
                self._greet(screen)
            else:
                self._bring_up_to_date(screen)

    def _bring_up_to_date(self, screen: Screen) -> None:
        group = screen.group
        data = group.due(screen, self._tick)
        if data:
            if screen.version != group.version:
                self._frames += 1
                self._dropped += group.version - screen.version - 1
            screen.view, screen.version, screen.tick = group.view, group.version, self._tick.number
            screen.transport.write(data)

    def _greet(self, screen: Screen) -> None:
        group = screen.group
        self._frames += group.view is not None
        screen.view, screen.version = group.view, group.version
        self._write(screen, event("hello", self._hello(group)))

    def _write(self, screen: Screen, data: bytes) -> None:
        screen.transport.write(_framed(data, chunked=screen.chunked))

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
            "sees_sites": group.sight.scope.sees_sites(),
            "team_names": self._names_of(group.sight),
            "board": None if group.view is None else group.whole(),
        }
        return _encode(greeting)

    def _names_of(self, sight: Sight) -> dict[str, str]:
        """Of a team's screen, for who may see every client: whom a team works for is not known before it is told."""
        if sight.shows is not Shows.TEAM or sight.scope.clients is not None or not sight.scope.sees_team(sight.team):
            return {}
        return {language: self._team_names.get(f"{language}/{sight.team}", "") for language in ("zh", "en")}

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
        if self._tick_timer is not None:
            self._tick_timer.cancel()
            self._tick_timer = None
        for screen in self._screens:
            screen.over.set()
            if screen.congested:
                screen.transport.abort()
