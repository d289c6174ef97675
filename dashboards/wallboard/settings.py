"""What the wallboard is told; the values live in seatwatch/defaults.toml, section board."""

from dataclasses import dataclass

from dashboards.wallboard.pages import PageSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class WallboardSettings:
    """Times in ms, sizes in bytes. time_zone: IANA name in which screens show clock times.

    early_tick_ratio: of a tick's interval; from then on a board takes the tick along, which saves a write.
    """

    push_interval_ms: int
    tick_interval_ms: int
    early_tick_ratio: float
    stale_after_ms: int
    reconnect_after_ms: int
    write_timeout_ms: int
    page_turn_ms: int
    alarm_repeat_ms: int
    few_judged: int
    break_limit_ms: int
    cookie_age_ms: int
    socket_buffer_bytes: int
    sign_in_bytes_max: int
    screens_max: int
    time_zone: str
    pages: PageSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSettings:
    """Boards of past instants: how many are kept and for how long, how many may wait, how far a slider reaches.

    past_rules_max: entries at the beginning of a ledger among which its first one that is no rule is looked for.
    """

    past_kept_ms: int
    past_kept_max: int
    past_waiting_max: int
    past_span_ms: int
    past_rules_max: int
