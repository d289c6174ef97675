"""Is this line up? One broadband line judged by its link, its address and the echoes over it. Pure.

    unknown --answer--> up <--> degraded          too much loss or delay over the last minute
       |                 |          |
       +---- misses -----+----------+--> suspect  a burst to every target decides: any answer at all clears it
                                           |
    up <-- several good, for a while -- down <--- none of the burst answered; or no link, no address: at once

A probe is missed when its answer is overdue, and lost when it never came: an answer that comes late takes the miss
back. The shell sends what `due` names, tells what came of it, and asks again at `next_wake_at`. Times in ms of a
monotonic clock, round trips in microseconds.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent_probe._core.line_window import Quality, Window, WindowRules
from wire.uplink import LineReason, LineState

GATEWAY: Final = -1
"""The gateway in the place of a target's index: asked more seldom, and only to say whose the trouble is."""


class LineRules(NamedTuple):
    """probe_ms: between probes. answer_ms: overdue after this. lost_ms: never expected any more.

    suspect_misses: in a row. burst_*: how a suspicion is settled. up_*: both must be reached to be up again.
    gateway_ms, gateway_misses: how often it is asked, and when it counts as gone. stall_ms: a pause of ours after which
    nothing that was sent before counts.
    """

    probe_ms: int
    answer_ms: int
    lost_ms: int
    suspect_misses: int
    burst_probes: int
    burst_gap_ms: int
    up_good: int
    up_ms: int
    gateway_ms: int
    gateway_misses: int
    stall_ms: int
    window: WindowRules


class Link(NamedTuple):
    """What the system says of the interface. is_enabled: not switched off by an administrator."""

    is_enabled: bool
    has_link: bool
    has_address: bool


class Echo(NamedTuple):
    """Send one to `target` (an index, or GATEWAY); `number` names it when its answer comes."""

    number: int
    target: int


class Verdict(NamedTuple):
    """What is found, leaving a suspicion aside. since, first_bad_at: monotonic ms."""

    state: LineState
    reason: LineReason
    since: int
    first_bad_at: int | None


@dataclass
class _Sent:
    target: int
    sent_at: int
    in_burst: bool
    is_missed: bool = False


class Line:
    """One line's memory. `targets`: how many addresses beyond the provider are asked in turn."""

    def __init__(self, rules: LineRules, *, targets: int, has_gateway: bool, now: int) -> None:
        self._rules = rules
        self._targets = targets
        self._has_gateway = has_gateway
        self._window = Window(rules.window, targets)
        self._link: Link | None = None
        self._is_measurable = False
        self._sent: dict[int, _Sent] = {}
        self._number = 0
        self._turn = 0
        self._asked_at = now
        self._probe_at = self._gateway_at = now
        self._burst_left: int | None = None
        self._misses = self._good = 0
        self._runs = [0] * targets
        self._bad_from: int | None = None
        self._better_from: int | None = None
        self._gateway_missed = 0
        self._verdict = Verdict(LineState.UNKNOWN, LineReason.NOT_MEASURED, now, None)
        self.gateway_reachable: bool | None = None
        self.internet_reachable: bool | None = None

    @property
    def verdict(self) -> Verdict:
        """What is found."""
        return self._verdict

    @property
    def state(self) -> LineState:
        """As the verdict, and `suspect` while that is looked into."""
        return LineState.SUSPECT if self._burst_left is not None else self._verdict.state

    @property
    def silent_since(self) -> int | None:
        """Since when nothing was answered; None if the last echo was, or none is overdue."""
        return self._bad_from

    @property
    def targets_failed(self) -> int:
        """Of how many targets the last probe is missed."""
        return sum(run > 0 for run in self._runs)

    def quality(self) -> Quality:
        """Loss and round trip over the window."""
        return self._window.quality()

    def observe_link(self, link: Link, now: int) -> None:
        """What the system says of the interface now. Without link or address the line is down at once."""
        before, self._link = self._link, link
        if link == before:
            return
        self._is_measurable = all(link)
        if not link.is_enabled:
            self._block(LineState.DISABLED, LineReason.SWITCHED_OFF, now)
        elif not link.has_link:
            self._block(LineState.DOWN, LineReason.NO_LINK, now)
        elif not link.has_address:
            self._block(LineState.DOWN, LineReason.NO_ADDRESS, now)
        else:
            self._probe_at = self._gateway_at = self._asked_at = now
            if self._verdict.state is LineState.DISABLED:
                self._find(LineState.UNKNOWN, LineReason.NOT_MEASURED, now)

    def due(self, now: int) -> list[Echo]:
        """Judge what is overdue, and name what to send now."""
        if now - self._asked_at > self._rules.stall_ms:
            self._forget()
            self._bad_from = None
        self._asked_at = now
        for number, sent in list(self._sent.items()):
            if not sent.is_missed and now - sent.sent_at >= self._rules.answer_ms:
                sent.is_missed = True
                self._miss(sent, now)
            if now - sent.sent_at >= self._rules.lost_ms and number in self._sent:
                del self._sent[number]
                self._lose(sent, now)
        return self._echoes(now) if self._is_measurable else []

    def answered(self, number: int, rtt_us: int, now: int) -> None:
        """The echo of that number came back."""
        sent = self._sent.pop(number, None)
        if sent is None:
            return
        if sent.target == GATEWAY:
            self.gateway_reachable = True
            self._gateway_missed = 0
            return
        for other in self._sent.values():
            if other.target != GATEWAY and other.sent_at <= sent.sent_at:
                other.is_missed = True  # the line was alive after it, so it accuses nobody
        self._misses = self._runs[sent.target] = 0
        self._burst_left = None
        self._bad_from = None
        self.internet_reachable = True
        if self._verdict.state is LineState.DOWN:
            self._recover(now)
        elif self._verdict.state is LineState.UNKNOWN:
            self._find(LineState.UP, LineReason.OK, now)
        if not sent.in_burst:
            self._window.add(sent.target, sent.sent_at, rtt_us, now)
            self._compare(now)

    def unsent(self, number: int, now: int) -> None:
        """The system refused to send it: as good as lost, and known at once."""
        sent = self._sent.pop(number, None)
        if sent is not None:
            self._miss(sent, now)
            self._lose(sent, now)

    def next_wake_at(self) -> int | None:
        """When `due` has something to do; None while there is nothing to be measured."""
        rules = self._rules
        times = [sent.sent_at + (rules.lost_ms if sent.is_missed else rules.answer_ms) for sent in self._sent.values()]
        if self._is_measurable:
            if self._burst_left != 0:
                times.append(self._probe_at)
            if self._has_gateway:
                times.append(self._gateway_at)
        return min(times, default=None)

    def _echoes(self, now: int) -> list[Echo]:
        rules, found = self._rules, []
        if self._has_gateway and now >= self._gateway_at:
            pause = rules.gateway_ms if self._burst_left is None else 2 * rules.burst_gap_ms
            self._gateway_at = now + pause
            found.append(self._echo(GATEWAY, now))
        if now >= self._probe_at and self._burst_left != 0:
            if self._burst_left is None:  # at instants that all lines of a probe share, so that it wakes once for them
                self._probe_at = now - now % rules.probe_ms + rules.probe_ms
            else:
                self._burst_left -= 1
                pause = rules.burst_gap_ms
                self._probe_at = max(self._probe_at + pause, now + pause // 2)
            self._turn = (self._turn + 1) % self._targets
            found.append(self._echo(self._turn, now))
        return found

    def _echo(self, target: int, now: int) -> Echo:
        self._number += 1
        self._sent[self._number] = _Sent(target, now, in_burst=target != GATEWAY and self._burst_left is not None)
        return Echo(self._number, target)

    def _miss(self, sent: _Sent, now: int) -> None:
        """Its answer is overdue."""
        if sent.target == GATEWAY:
            self._gateway_missed += 1
            if self._gateway_missed >= self._rules.gateway_misses and self.gateway_reachable:
                self.gateway_reachable = False
            return
        self._runs[sent.target] += 1
        self._misses += 1
        self._good = 0
        if self._bad_from is None:
            self._bad_from = sent.sent_at
        suspicious = self._misses >= self._rules.suspect_misses
        if self._verdict.state is LineState.DOWN:
            if suspicious:
                self._better_from = None
                self.internet_reachable = False
                self._find(LineState.DOWN, self._whose(), now)
        elif self._burst_left is not None:
            is_last = not any(other.in_burst and not other.is_missed for other in self._sent.values())
            if sent.in_burst and self._burst_left == 0 and is_last:
                self._give_up(now)
        elif suspicious:
            self._burst_left = self._rules.burst_probes
            self._probe_at = self._gateway_at = now
            self._gateway_missed = 0

    def _lose(self, sent: _Sent, now: int) -> None:
        """Its answer will not come any more."""
        if sent.target != GATEWAY and not sent.in_burst:
            self._window.add(sent.target, sent.sent_at, None, now)
            self._compare(now)

    def _give_up(self, now: int) -> None:
        """None of the burst was answered."""
        self._burst_left = None
        self._probe_at = now
        self._better_from = None
        self.internet_reachable = False
        self._find(LineState.DOWN, self._whose(), now)

    def _whose(self) -> LineReason:
        """Whose the trouble is. A gateway that never answered an echo proves nothing by its silence."""
        return LineReason.NO_GATEWAY if self.gateway_reachable is False else LineReason.NO_INTERNET

    def _recover(self, now: int) -> None:
        self._good += 1
        if self._better_from is None:
            self._better_from = now
            self._window.clear()
            self._sent = {number: sent for number, sent in self._sent.items() if sent.target == GATEWAY}
        if self._good >= self._rules.up_good and now - self._better_from >= self._rules.up_ms:
            self._find(LineState.UP, LineReason.OK, now)

    def _compare(self, now: int) -> None:
        """Whether the window makes it degraded, or up again."""
        if self._verdict.state not in {LineState.UP, LineState.DEGRADED}:
            return
        if self._window.loses or self._window.is_slow:
            reason = LineReason.LOSS if self._window.loses else LineReason.LATENCY
            self._find(LineState.DEGRADED, reason, now)
        else:
            self._find(LineState.UP, LineReason.OK, now)

    def _block(self, state: LineState, reason: LineReason, now: int) -> None:
        """Nothing can be measured; what is on its way will not come back."""
        self._forget()
        self._better_from = None
        self.internet_reachable = None
        self.gateway_reachable = None
        self._find(state, reason, now)
        if self._bad_from is None:
            self._bad_from = now

    def _forget(self) -> None:
        self._sent.clear()
        self._burst_left = None
        self._misses = self._good = self._gateway_missed = 0

    def _find(self, state: LineState, reason: LineReason, now: int) -> None:
        before = self._verdict
        if (state, reason) == (before.state, before.reason):
            return
        since = before.since if state is before.state else now
        if state in {LineState.UP, LineState.UNKNOWN}:
            first_bad_at = None
        elif state is before.state:
            first_bad_at = before.first_bad_at
        elif state is LineState.DEGRADED:
            first_bad_at = self._window.bad_since()
        else:
            first_bad_at = now if self._bad_from is None else self._bad_from
        self._verdict = Verdict(state, reason, since, first_bad_at)
