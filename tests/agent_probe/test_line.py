"""A line's verdict: how long until it is down, what clears a suspicion, when it is up again, what makes it degraded."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.line import GATEWAY, Line, Link
from agent_probe._core.line_window import Window
from tests.agent_probe.line_days import RULES, Day, evenly
from wire.uplink import LineReason, LineState

UP = Link(is_enabled=True, has_link=True, has_address=True)
UNPLUGGED = UP._replace(has_link=False)
STEP_MS = 10
Answers = Callable[[int, int], int | None]
"""(instant, target) -> round trip in ms, or None for no answer."""


def always(rtt_ms: int = 20) -> Answers:
    return lambda _now, _target: rtt_ms


def cut_at(instant: int, until: int = 10**9, rtt_ms: int = 20) -> Answers:
    return lambda now, _: None if instant <= now < until else rtt_ms


class Life:
    """A line and the path behind it, in steps of 10 ms. `history`: (instant, state, reason) of each change."""

    def __init__(self, answers: Answers, targets: int = 3, link: Link = UP) -> None:
        self.now = 0
        self.answers = answers
        self.line = Line(RULES, targets=targets, has_gateway=True, now=0)
        self.line.observe_link(link, 0)
        self.history: list[tuple[int, LineState, LineReason]] = []
        self.asked: list[int] = []
        self._coming: dict[int, list[tuple[int, int]]] = {}

    def until(self, instant: int) -> "Life":
        while self.now < instant:
            self.step()
        return self

    def step(self) -> None:
        self.now += STEP_MS
        for number, rtt_ms in self._coming.pop(self.now, []):
            self.line.answered(number, rtt_ms * 1000, self.now)
        wake_at = self.line.next_wake_at()
        if wake_at is not None and wake_at <= self.now:
            for echo in self.line.due(self.now):
                self.asked.append(echo.target)
                after_ms = self.answers(self.now, echo.target)
                if after_ms is not None:
                    self._coming.setdefault(self.now + after_ms, []).append((echo.number, after_ms))
        self.note()

    def plug(self, link: Link) -> None:
        self.line.observe_link(link, self.now)
        self.note()

    def note(self) -> None:
        found = (self.line.state, self.line.verdict.reason)
        if not self.history or self.history[-1][1:] != found:
            self.history.append((self.now, *found))

    @property
    def states(self) -> list[LineState]:
        """Without repetitions."""
        states = [state for _, state, _ in self.history]
        return [state for n, state in enumerate(states) if n == 0 or state is not states[n - 1]]

    def first(self, state: LineState, after: int = 0) -> int:
        return next(at for at, found, _ in self.history if found is state and at >= after)


def test_a_line_is_up_with_its_first_answer() -> None:
    life = Life(always()).until(2_000)
    assert life.states == [LineState.UNKNOWN, LineState.UP]
    assert life.first(LineState.UP) <= 30


@pytest.mark.parametrize("cut", range(10_000, 10_510, 50))
def test_a_line_cut_at_any_moment_is_down_within_2_7_s_and_says_when_it_began(cut: int) -> None:
    life = Life(cut_at(cut)).until(cut + 3_000)
    assert life.states == [LineState.UNKNOWN, LineState.UP, LineState.SUSPECT, LineState.DOWN]
    assert life.first(LineState.DOWN) - cut <= 2_700
    first_bad_at = life.line.verdict.first_bad_at
    assert first_bad_at is not None
    assert 0 <= first_bad_at - cut <= 500


def test_one_answer_to_the_burst_clears_the_suspicion() -> None:
    life = Life(cut_at(10_000, 11_600)).until(14_000)
    assert life.states == [LineState.UNKNOWN, LineState.UP, LineState.SUSPECT, LineState.UP]
    assert life.line.verdict.since <= 30


def test_an_answer_that_comes_late_takes_the_miss_back() -> None:
    life = Life(lambda now, _: 600 if now > 5_000 else 20).until(120_000)
    assert LineState.DOWN not in life.states
    assert life.line.verdict.reason is LineReason.LATENCY
    assert life.line.quality().loss_permille == 0


def test_a_gateway_that_used_to_answer_and_is_silent_is_where_the_trouble_lies() -> None:
    life = Life(cut_at(20_000)).until(24_000)
    assert life.line.verdict[:2] == (LineState.DOWN, LineReason.NO_GATEWAY)
    beyond = Life(lambda now, target: 20 if now < 20_000 or target == GATEWAY else None).until(24_000)
    assert beyond.line.verdict[:2] == (LineState.DOWN, LineReason.NO_INTERNET)
    assert (beyond.line.gateway_reachable, beyond.line.internet_reachable) == (True, False)
    mute = Life(lambda now, target: 20 if now < 20_000 and target != GATEWAY else None).until(24_000)
    assert mute.line.verdict[:2] == (LineState.DOWN, LineReason.NO_INTERNET)
    assert mute.line.gateway_reachable is None


@pytest.mark.parametrize(
    ("link", "state", "reason"),
    [
        (UNPLUGGED, LineState.DOWN, LineReason.NO_LINK),
        (UP._replace(has_address=False), LineState.DOWN, LineReason.NO_ADDRESS),
        (UP._replace(is_enabled=False), LineState.DISABLED, LineReason.SWITCHED_OFF),
    ],
)
def test_without_link_or_address_it_is_down_at_once(link: Link, state: LineState, reason: LineReason) -> None:
    life = Life(always()).until(5_000)
    life.plug(link)
    assert life.history[-1] == (5_000, state, reason)
    assert life.line.next_wake_at() is None
    assert (life.line.internet_reachable, life.line.gateway_reachable) == (None, None)
    assert life.line.verdict.first_bad_at == 5_000


def test_it_is_up_again_after_five_good_ones_and_ten_seconds_and_not_before() -> None:
    life = Life(cut_at(10_000, 30_000)).until(60_000)
    back = life.first(LineState.UP, after=30_000)
    assert 10_000 <= back - 30_000 <= 10_600
    assert life.line.quality().loss_permille == 0
    assert life.line.verdict.first_bad_at is None


def test_a_cable_that_is_put_back_is_measured_before_it_is_up() -> None:
    life = Life(always()).until(5_000)
    life.plug(UNPLUGGED)
    life.until(7_000).plug(UP)
    life.until(30_000)
    assert life.states == [LineState.UNKNOWN, LineState.UP, LineState.DOWN, LineState.UP]
    assert life.first(LineState.UP, after=7_000) - 7_000 >= 10_000


def test_a_cable_that_is_put_back_to_a_dead_provider_says_so() -> None:
    life = Life(cut_at(5_000)).until(5_000)
    life.plug(UNPLUGGED)
    life.until(7_000).plug(UP)
    life.until(9_000)
    assert [reason for _, state, reason in life.history if state is LineState.DOWN] == [
        LineReason.NO_LINK,
        LineReason.NO_INTERNET,
    ]
    assert life.line.verdict.first_bad_at == 5_000


def test_a_line_switched_off_and_on_again_is_not_known_until_it_answers() -> None:
    life = Life(always()).until(5_000)
    life.plug(UP._replace(is_enabled=False))
    life.until(6_000).plug(UP)
    life.until(7_000)
    assert life.states[-3:] == [LineState.DISABLED, LineState.UNKNOWN, LineState.UP]


def test_it_comes_back_though_one_echo_in_ten_is_lost() -> None:
    life = Life(lambda now, _: None if now < 20_000 or now // 500 % 10 == 0 else 20).until(60_000)
    assert life.states[-1] is LineState.UP


def test_much_loss_makes_it_degraded_and_little_loss_up_again() -> None:
    life = Life(lambda now, _: None if now < 60_000 and now // 500 % 3 == 1 else 20, targets=4).until(200_000)
    assert life.states[:3] == [LineState.UNKNOWN, LineState.UP, LineState.DEGRADED]
    assert life.history[2][2] is LineReason.LOSS
    assert life.history[-1][1:] == (LineState.UP, LineReason.OK)
    assert 60_000 < life.history[-1][0] < 120_000


def test_a_target_that_goes_away_alone_is_the_targets_trouble() -> None:
    life = Life(lambda now, target: None if target == 1 and now > 30_000 else 20).until(120_000)
    assert life.states == [LineState.UNKNOWN, LineState.UP]
    assert life.line.targets_failed == 1
    assert life.line.quality().loss_permille == 0


def test_targets_take_turns_and_the_gateway_is_asked_more_seldom() -> None:
    life = Life(always()).until(14_990)
    echoes = [target for target in life.asked if target != GATEWAY]
    assert len(echoes) == 30
    assert all(set(echoes[n : n + 3]) == {0, 1, 2} for n in range(len(echoes) - 3))
    assert life.asked.count(GATEWAY) == 3


def test_a_send_that_the_system_refuses_is_a_miss_at_once() -> None:
    life = Life(always()).until(10_000)
    while life.line.state is not LineState.DOWN:
        life.now += STEP_MS
        for echo in life.line.due(life.now):
            life.line.unsent(echo.number, life.now)
    assert life.now - 10_000 <= 2_000


def test_a_probe_that_was_suspended_in_the_middle_of_a_burst_accuses_nobody() -> None:
    life = Life(cut_at(10_000)).until(11_700)
    assert life.line.state is LineState.SUSPECT
    life.now += 600_000
    life.answers = always()
    life.until(life.now + 2_000)
    assert life.states[-1] is LineState.UP
    assert LineState.DOWN not in life.states


def test_the_figures_of_a_window_are_those_of_a_textbook() -> None:
    window = Window(RULES.window, targets=1)
    for n, rtt_us in enumerate([10_000, 20_000, 30_000, None, 40_000]):
        window.add(0, n * 500, rtt_us, n * 500 + 50)
    assert window.quality() == (5, 200, 25_000, 11_180)
    window.add(0, 62_000, 1, 62_050)
    assert window.quality() == (1, 0, 1, 0)


def test_a_day_of_five_percent_loss_calls_no_line_down() -> None:
    day = Day(evenly(0.05), seed=7)
    assert day.downs == 0
    assert day.degradations == 0
    assert day.suspicions > 200


@given(
    st.lists(
        st.tuples(st.integers(1, 900), st.sampled_from(["answer", "lose", "refuse", "unplug", "plug"])), max_size=80
    )
)
def test_whatever_happens_it_never_busy_waits_and_is_down_only_after_a_burst(steps: list[tuple[int, str]]) -> None:
    line = Line(RULES, targets=2, has_gateway=True, now=0)
    line.observe_link(UP, 0)
    now, link, silent = 0, UP, 0
    for pause, what in steps:
        now += pause
        for echo in line.due(now):
            if what == "answer":
                line.answered(echo.number, 1_000, now)
                silent = 0 if echo.target != GATEWAY else silent
            else:
                silent += echo.target != GATEWAY
                if what == "refuse":
                    line.unsent(echo.number, now)
        if what in {"plug", "unplug"}:
            link = UP if what == "plug" else UNPLUGGED
            line.observe_link(link, now)
        wake_at = line.next_wake_at()
        assert wake_at is None or wake_at > now or what in {"plug", "refuse"}
        verdict = line.verdict
        if verdict.state is LineState.DOWN and verdict.reason is LineReason.NO_INTERNET and verdict.since == now:
            assert silent >= RULES.suspect_misses + RULES.burst_probes
        assert (line.state is LineState.DOWN) >= (link is UNPLUGGED)
        assert verdict.first_bad_at is None or verdict.first_bad_at <= now
