"""What a registrar makes of our monitor account. Pure; times in ms of a monotonic clock.

* A binding is renewed at half of its life. A renewal that fails is said at once; when the binding has run out, that is.
* 401 and 407 are answered once; asked again after that, the account is wrong: rejected for good.
* Nothing is ever given up: what was rejected for good is tried again too, only seldom (an account may be mended, and a
  registrar that is asked too often locks it).
"""

from dataclasses import dataclass
from typing import Final

from wire.phone import Registration

ASKS: Final = frozenset({401, 407})
FOR_GOOD: Final = frozenset({400, 403, 404, 405, 410, 416, 420, 501, 505, 603, 604, 606})
# Format: RFC 3261, section 21.4.17.
TOO_BRIEF: Final = 423


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """How long a binding to ask for, and how long to wait after a failure.

    phone_register_seldom_ms: after a rejection for good; phone_register_again_ms: after any other failure.
    """

    phone_registered_ms: int
    phone_register_again_ms: int
    phone_register_seldom_ms: int


class Registrar:
    """One account's memory."""

    def __init__(self, rules: RegistrationRules) -> None:
        self._rules = rules
        self._state = Registration.UNREGISTERED
        self._expires_at: int | None = None
        self._due_at: int | None = None
        self.lifetime_ms = rules.phone_registered_ms
        """How long a binding to ask for: ours, or longer if the registrar insisted."""

    def is_due(self, now: int) -> bool:
        """Whether to send a REGISTER now."""
        return self._due_at is None or now >= self._due_at

    def state(self, now: int) -> Registration:
        """What holds at `now`."""
        has_run_out = self._expires_at is not None and now >= self._expires_at
        return Registration.EXPIRED if has_run_out else self._state

    def expires_in_ms(self, now: int) -> int | None:
        """How long the present binding still holds, None without one."""
        return None if self._expires_at is None else max(0, self._expires_at - now)

    def began(self) -> None:
        """A REGISTER goes out for the first time, or after having been refused."""
        if self._expires_at is None:
            self._state = Registration.REGISTERING

    def accepted(self, granted_ms: int, now: int) -> None:
        """A 200. granted_ms: how long the registrar keeps the binding.

        No longer than was asked for is believed: a phone system that was started anew has forgotten it.
        """
        granted_ms = min(granted_ms, self.lifetime_ms)
        self._state = Registration.REGISTERED
        self._expires_at = now + granted_ms
        self._due_at = now + granted_ms // 2

    def wants_longer(self, least_ms: int) -> bool:
        """A 423: ask for at least `least_ms`. Whether that is more than was asked for, so that another try may help."""
        is_more = least_ms > self.lifetime_ms
        self.lifetime_ms = max(self.lifetime_ms, least_ms)
        return is_more

    def refused(self, code: int, now: int) -> None:
        """Any other final answer; a 401 or 407 only when it was answered before."""
        is_for_good = code in FOR_GOOD or code in ASKS
        self._state = Registration.REJECTED_PERMANENT if is_for_good else Registration.REJECTED_TEMPORARY
        self._expires_at = None
        again = self._rules.phone_register_seldom_ms if is_for_good else self._rules.phone_register_again_ms
        self._due_at = now + again

    def unanswered(self, now: int) -> None:
        """No answer at all."""
        self._state = Registration.TIMEOUT
        self._due_at = now + self._rules.phone_register_again_ms
