"""Errors of the probe, by whose fault it is and what to do.

* ProbeError
  * ProbeConfigError: the operator's. Names the key, the problem and the fix; the process exits with 2.
  * ProbeUnavailable: the world's. A sensor or the broker cannot be reached now; back off and say so.
"""

from collections.abc import Iterable


class ProbeError(Exception):
    """Base of everything the probe raises."""


class ProbeConfigError(ProbeError):
    """A setting cannot be used: which key, what is wrong, what to do. others: what cannot be used besides."""

    def __init__(self, key: str, problem: str, fix: str, others: Iterable["ProbeConfigError"] = ()) -> None:
        super().__init__("\n".join([f"{key}: {problem}\n  fix: {fix}", *map(str, others)]))
        self.key = key
        self.problem = problem
        self.fix = fix


def refuse_all(found: Iterable[ProbeConfigError]) -> None:
    """Raise one error of everything that was found, if anything was."""
    every = list(found)
    if every:
        raise ProbeConfigError(every[0].key, every[0].problem, every[0].fix, every[1:])


class ProbeUnavailable(ProbeError):
    """What we talk to is not there now. `cause` is a closed word of the sensor's own vocabulary.

    retry_ms: after how long it can be tried again, where that is known; None leaves it to whoever tries.
    """

    def __init__(self, cause: str, detail: str = "", retry_ms: int | None = None) -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail
        self.retry_ms = retry_ms
