"""When one request is sent, sent again and given up: RFC 3261, 17.1.2. Pure; times in ms of any clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransactionRules:
    """sip_t1_ms, sip_t2_ms: the RFC's T1 and T2. phone_answer_ms: how long an answer may take."""

    sip_t1_ms: int
    sip_t2_ms: int
    phone_answer_ms: int


class Transaction:
    """One request. Over a reliable transport it is sent once; over UDP again after T1, 2 T1 and so on up to T2."""

    def __init__(self, rules: TransactionRules, now: int, *, is_reliable: bool) -> None:
        self._rules = rules
        self._gives_up_at = now + rules.phone_answer_ms
        self._send_at: int | None = now
        self._pause_ms = 0 if is_reliable else rules.sip_t1_ms

    def is_over(self, now: int) -> bool:
        """Whether no answer counts any more."""
        return now >= self._gives_up_at

    def send(self, now: int) -> bool:
        """Whether to send the request (again) now; it then counts as sent."""
        if self._send_at is None or now < self._send_at:
            return False
        self._send_at = now + self._pause_ms if self._pause_ms else None
        self._pause_ms = min(2 * self._pause_ms, self._rules.sip_t2_ms)
        return True

    def heard(self, now: int) -> None:
        """A provisional answer: the other end works on it, so ask again more slowly."""
        if self._send_at is not None:
            self._pause_ms = self._rules.sip_t2_ms
            self._send_at = now + self._pause_ms

    @property
    def next_wake_at(self) -> int:
        """When to look again, if nothing arrives before."""
        return self._gives_up_at if self._send_at is None else min(self._send_at, self._gives_up_at)
