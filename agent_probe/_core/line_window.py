"""What the last minute of one line was like: loss and round trip. Pure; times in ms, round trips in microseconds.

A probe counts once it is answered, or lost for good; until then it counts as neither, so a late answer is no loss. A
target that stopped answering while others went on is the target's trouble: it is left out of the line's figures.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

PERMILLE: Final = 1000


class WindowRules(NamedTuple):
    """A line is bad from `*_enter` on until it is back at `*_leave`.

    window_ms: how far back. samples_min: fewer say nothing. dead_target_misses: lost in a row, by one target alone.
    """

    window_ms: int
    samples_min: int
    loss_enter_permille: int
    loss_leave_permille: int
    rtt_enter_us: int
    rtt_leave_us: int
    dead_target_misses: int


class Quality(NamedTuple):
    """Of the window. None where no probe says anything."""

    samples: int
    loss_permille: int | None
    rtt_us: int | None
    rtt_sd_us: int | None


@dataclass
class _Tally:
    """One target's samples within the window. run: lost in a row, most recently."""

    samples: int = 0
    lost: int = 0
    rtt_sum: int = 0
    rtt_square_sum: int = 0
    run: int = 0


class Window:
    """The samples of one line."""

    def __init__(self, rules: WindowRules, targets: int) -> None:
        self._rules = rules
        self._targets = targets
        self._loses = self._is_slow = False
        self.clear()

    def clear(self) -> None:
        """Forget everything: what was before an outage says nothing about the line that came back."""
        self._samples: deque[tuple[int, int, int | None]] = deque()
        self._tallies = [_Tally() for _ in range(self._targets)]
        self._loses = self._is_slow = False

    def add(self, target: int, sent_at: int, rtt_us: int | None, now: int) -> None:
        """A probe to `target` was answered after `rtt_us`, or lost (None)."""
        self._samples.append((sent_at, target, rtt_us))
        self._count(target, rtt_us, 1)
        self._tallies[target].run = self._tallies[target].run + 1 if rtt_us is None else 0
        while self._samples and self._samples[0][0] <= now - self._rules.window_ms:
            _, old_target, old_rtt = self._samples.popleft()
            self._count(old_target, old_rtt, -1)
        self._compare()

    @property
    def loses(self) -> bool:
        """Whether the line loses too much."""
        return self._loses

    @property
    def is_slow(self) -> bool:
        """Whether its round trips take too long."""
        return self._is_slow

    def bad_since(self) -> int | None:
        """When the oldest sample in the window was sent that is lost, or takes too long; None if there is none."""
        limit = self._rules.rtt_leave_us
        bad = (at for at, _, rtt in self._samples if (rtt is None and self._loses) or (rtt or 0) > limit)
        return next(bad, None)

    def quality(self) -> Quality:
        """Loss is a whole permille, round trip and its deviation whole microseconds."""
        counted = self._counted()
        samples, lost, rtt_sum = _sums(counted)
        answered = samples - lost
        if not answered:
            return Quality(samples, PERMILLE if samples else None, None, None)
        squares = sum(tally.rtt_square_sum for tally in counted)
        variance = (squares * answered - rtt_sum * rtt_sum) // (answered * answered)
        return Quality(samples, PERMILLE * lost // samples, rtt_sum // answered, _root(variance))

    def _counted(self) -> list[_Tally]:
        """Of the targets that say something about the line."""
        worst_run = self._rules.dead_target_misses
        return [tally for tally in self._tallies if tally.run < worst_run] or self._tallies

    def _count(self, target: int, rtt_us: int | None, sign: int) -> None:
        tally = self._tallies[target]
        tally.samples += sign
        if rtt_us is None:
            tally.lost += sign
        else:
            tally.rtt_sum += sign * rtt_us
            tally.rtt_square_sum += sign * rtt_us * rtt_us

    def _compare(self) -> None:
        rules = self._rules
        samples, lost, rtt_sum = _sums(self._counted())
        if not samples or samples < rules.samples_min:
            return
        answered = samples - lost
        loss, rtt = PERMILLE * lost // samples, rtt_sum // answered if answered else 0
        self._loses = loss > (rules.loss_leave_permille if self._loses else rules.loss_enter_permille - 1)
        self._is_slow = rtt > (rules.rtt_leave_us if self._is_slow else rules.rtt_enter_us - 1)


def _sums(tallies: Iterable[_Tally]) -> tuple[int, int, int]:
    """Samples, lost ones and round trips of all of them."""
    samples = lost = rtt_sum = 0
    for tally in tallies:
        samples += tally.samples
        lost += tally.lost
        rtt_sum += tally.rtt_sum
    return samples, lost, rtt_sum


def _root(number: int) -> int:
    """The whole part of a square root, by Newton."""
    # Format: arithmetic, 0 and 1 are their own roots.
    if number < 2:
        return number
    guess = 1 << (number.bit_length() + 1) // 2
    while (better := (guess + number // guess) // 2) < guess:
        guess = better
    return guess
