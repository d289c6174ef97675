"""Getting an identity and renewing it: what `seatwatch probe enrol` and `probe renew` do, in a process that ends."""

import platform as python_platform
import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from agent_probe.enrolment import key
from agent_probe.enrolment.client import Door, EnrolmentRefused, Hub
from agent_probe.enrolment.identity import (
    AUTHORITY_FILE,
    NEXT_KEY_FILE,
    PAIR_FILE,
    Identity,
    read_identity,
    write_identity,
    write_private,
)
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from wire.enrolment import EnrolAnswer, EnrolRefusal, EnrolRequest, Refusal
from wire.limits import WORD_CHARS_MAX

MS_PER_S: Final = 1000
# Format: machine-id(5).
NO_MACHINE_ID: Final = frozenset({"", "uninitialized"})
"""What the file holds in an image that no machine has been started from."""
T = TypeVar("T")


class EnrolmentSettings(NamedTuple):
    """Thresholds, from `[probe]` in defaults.toml. retry_ms: between tries while the hub cannot be reached."""

    timeout_ms: int
    retry_ms: int


class About(NamedTuple):
    """This machine. host: its name; machine: a digest that tells it from others of the site and names nothing."""

    host: str
    machine: str


def about_this_machine(site: str, machine_id: str) -> About:
    """What the hub is told. The machine's own id never leaves it: only a digest of it, another one at each site.

    Raises ProbeConfigError while it has none: all machines of one image would be taken for one.
    """
    if machine_id in NO_MACHINE_ID:
        fix = "start it once as an installed system, or run systemd-machine-id-setup"
        raise ProbeConfigError("machine-id", "this machine was not given one yet", fix)
    host = python_platform.node().partition(".")[0][:WORD_CHARS_MAX]
    return About(host, sha256(f"seatwatch machine\n{site}\n{machine_id}".encode()).hexdigest())


def pause_ms(refusal: EnrolRefusal, chance: float) -> int:
    """How long to wait after a refusal that is none for good.

    Seats that are switched on together are too many at once, and would be again if they all came back together. chance:
    from 0 to 1, another one each time.
    """
    waits_ms = refusal.retry_after_ms
    return int(waits_ms * chance) if refusal.error == Refusal.TOO_OFTEN else waits_ms


class Enrolling:
    """One machine's dealings with one hub. wait: pauses for so many seconds; is_patient: whether to wait at all."""

    def __init__(
        self,
        folder: Path,
        about: About,
        settings: EnrolmentSettings,
        *,
        say: Callable[[str], None],
        is_patient: bool,
        wait: Callable[[float], None] = time.sleep,  # noqa: TID251 - a process of its own, which has nothing else to do
    ) -> None:
        self._folder = folder
        self._about = about
        self._settings = settings
        self._say = say
        self._said = ""
        self._is_patient = is_patient
        self._wait = wait
        self._rng = random.Random()  # noqa: S311 - spreads machines, guards nothing

    def enrol(self, url: str, pin: str, code: str) -> Identity:
        """Show a code until there is a certificate. ProbeConfigError, EnrolmentRefused, ProbeUnavailable, OSError."""
        door = Door(Hub.at(url), self._settings.timeout_ms / MS_PER_S)
        authority = self._trying(lambda: door.authority(pin))
        secret = self._next_key()
        asked = self._request(secret, code)
        while not (answer := self._trying(lambda: door.enrol(authority, asked))).certificate:
            self._tell("a person has to approve this machine; waiting")
            self._pause(answer.retry_after_ms, ProbeUnavailable("hub", "not approved yet; run the same again later"))
        return self._keep(answer, url, secret, authority)

    def renew(self) -> Identity:
        """Exchange the certificate for the next. ProbeConfigError, EnrolmentRefused, ProbeUnavailable, OSError."""
        before = read_identity(self._folder)
        if before is None:
            raise ProbeConfigError("data_dir", "no identity to renew", "enrol first: seatwatch probe enrol --help")
        door = Door(Hub.at(before.hub), self._settings.timeout_ms / MS_PER_S)
        authority = (self._folder / AUTHORITY_FILE).read_text(encoding="ascii")
        secret = self._next_key()
        asked = self._request(secret, "")
        answer = self._trying(lambda: door.renew(authority, self._folder / PAIR_FILE, asked))
        return self._keep(answer, before.hub, secret, authority)

    def _request(self, secret: str, code: str) -> EnrolRequest:
        return EnrolRequest(key.request(secret, self._about.host), self._about.machine, self._about.host, code)

    def _next_key(self) -> str:
        """The key of the next certificate; kept until its answer came, so that asking again is the same question."""
        path = self._folder / NEXT_KEY_FILE
        try:
            return path.read_text(encoding="ascii")
        except FileNotFoundError:
            secret = key.new_key()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, secret)
            return secret

    def _keep(self, answer: EnrolAnswer, url: str, secret: str, authority: str) -> Identity:
        before = read_identity(self._folder)
        seat = answer.seat or ("" if before is None else before.seat)
        about = Identity(answer.identity, seat, url, answer.not_before, answer.not_after)
        write_identity(self._folder, about, answer.certificate, secret, authority)
        (self._folder / NEXT_KEY_FILE).unlink(missing_ok=True)
        return about

    def _trying(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return ask()
            except ProbeUnavailable as problem:
                self._tell(str(problem))
                self._pause(self._settings.retry_ms, problem)
            except EnrolmentRefused as refused:
                if not refused.refusal.retry_after_ms:
                    raise
                self._tell(str(refused))
                self._pause(pause_ms(refused.refusal, self._rng.random()), refused)

    def _tell(self, text: str) -> None:
        """Say what is waited for, once and not at every try."""
        if text != self._said:
            self._said = text
            self._say(text)

    def _pause(self, time_ms: int, otherwise: Exception) -> None:
        if not self._is_patient:
            raise otherwise
        self._wait(time_ms / MS_PER_S)
