"""The desk behind the doors: looks up what is known, lets the rules decide, and hands out what they say."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import structlog

from collector.enrolment._core import desk as rules
from collector.enrolment._core.codes import digest
from collector.enrolment._core.desk import Answer, Asked, DeskLimits, Refuse, Wait
from collector.enrolment.authority import Authority, Request, Span, new_serial, read_request
from collector.enrolment.errors import EnrolmentError
from collector.enrolment.store import EnrolmentStore, Issued, Pending
from wire.enrolment import Refusal

log = structlog.get_logger()


class Granted(NamedTuple):
    """A certificate for whoever asked. pem: its own, the authority's is published apart. Times in ms."""

    identity: str
    seat: str
    pem: bytes
    not_before: int
    not_after: int


class Machine(NamedTuple):
    """What a machine says of itself, and where its request came from."""

    host: str
    machine: str
    address: str


class Desk:
    """Hands out identities. heard_at: when an identity was last heard, None = not by this hub.

    changed: called after an identity was issued or revoked, so that the broker is told.
    """

    def __init__(
        self,
        authority: Authority,
        store: EnrolmentStore,
        limits: DeskLimits,
        *,
        clock_ms: Callable[[], int],
        heard_at: Callable[[str], int | None],
        changed: Callable[[], None],
    ) -> None:
        self.authority = authority
        self.store = store
        self.limits = limits
        self.refusals: Counter[Refusal] = Counter()
        self._clock_ms = clock_ms
        self._heard_at = heard_at
        self._changed = changed

    def enrol(self, code: str, machine: Machine, csr: str) -> Granted | Wait | Refuse:
        """Somebody shows a claim code or a batch token."""
        try:
            request = read_request(csr)
        except EnrolmentError:
            return self._refuse(Refuse(Refusal.BAD_REQUEST))
        known, now = digest(code), self._clock_ms()
        asked = Asked(machine.host.casefold(), machine.machine, request.key, machine.address)
        claim = self.store.claim(known)
        if claim is not None:
            speaking = self.store.speaking(claim.identity, self._heard_at(claim.identity))
            answer = rules.on_claim(claim, asked, speaking, now, self.limits)
            return self._settle(answer, asked, request, now, claim=known)
        return self._join(known, asked, request, now)

    def renew(self, serial: str, machine: Machine, csr: str) -> Granted | Wait | Refuse:
        """Somebody shows the certificate `serial` (hex) and asks for the next."""
        try:
            request = read_request(csr)
        except EnrolmentError:
            return self._refuse(Refuse(Refusal.BAD_REQUEST))
        before = self.store.issued(serial)
        batch = "" if before is None else before.batch
        # a place in a batch is its host's, whatever a machine calls itself by now
        host = before.host if before is not None and batch else machine.host.casefold()
        asked = Asked(host, machine.machine, request.key, machine.address)
        answer = rules.on_renewal(self.store.certificate(serial), asked)
        return self._settle(answer, asked, request, self._clock_ms(), renews=serial, batch=batch)

    def doubled(self, identity: str) -> None:
        """The broker carries two processes under one identity."""
        self._alarm(identity, "two_epochs", self._clock_ms())

    def _join(self, known: str, asked: Asked, request: Request, now: int) -> Granted | Wait | Refuse:
        batch = self.store.batch(known)
        place = None if batch is None else self.store.place(batch.name, asked.host)
        join = None if batch is None else self.store.join(batch.name, asked.host)
        name, identity = "" if batch is None else batch.name, "" if place is None else place.identity
        answer = rules.on_batch(
            batch,
            asked,
            identity,
            join,
            self.store.speaking(identity, self._heard_at(identity)),
            joined=self.store.joined(name),
            now=now,
            limits=self.limits,
        )
        if isinstance(answer, Wait):
            pending = Pending(name, asked.host, identity, asked.machine, asked.address, now)
            self.store.wait(pending, asked.key)
            return answer
        return self._settle(answer, asked, request, now, batch=name, seat="" if place is None else place.seat)

    def _settle(
        self,
        answer: Answer,
        asked: Asked,
        request: Request,
        now: int,
        *,
        claim: str = "",
        renews: str = "",
        batch: str = "",
        seat: str = "",
    ) -> Granted | Wait | Refuse:
        if isinstance(answer, Refuse):
            return self._refuse(answer, now)
        if isinstance(answer, Wait):
            return answer
        span = Span(now - self.limits.backdate_ms, now + self.limits.certificate_ms)
        serial = new_serial()
        pem = self.authority.sign(request, answer.identity, serial, span)
        issued = Issued(
            f"{serial:x}", answer.identity, asked.key, asked.machine, asked.host, batch, now, span.not_after
        )
        self.store.issue(issued, answer.step, claim=claim, renews=renews, replaces=answer.replaces)
        log.info("enrolment.issued", identity=answer.identity, step=answer.step.value, serial=issued.serial)
        self._changed()
        return Granted(answer.identity, seat, pem, now, span.not_after)

    def _refuse(self, refused: Refuse, now: int = 0) -> Refuse:
        self.refusals[refused.reason] += 1
        if refused.reason is Refusal.STILL_SPEAKING and self.store.refused_at(refused.identity) is None:
            self.store.refused(refused.identity, now)
        if refused.is_alarm:
            self._alarm(refused.identity, refused.reason, now)
        return refused

    def _alarm(self, identity: str, reason: str, now: int) -> None:
        if self.store.seen_twice(identity, reason, now, self.limits.alarm_again_ms):
            log.error("enrolment.seen_twice", identity=identity, reason=reason)
            self._changed()
