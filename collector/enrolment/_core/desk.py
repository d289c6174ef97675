"""Who gets an identity: every decision of the enrolment doors, from what is known and what is asked.

Two doors. A *claim code* is for one gateway: minutes, once. A *batch token* is for the seats of a site: hours, a count,
the addresses they come from and the host names they have; what comes in by it waits until a person approved the list.
The token stays of use afterwards for one thing only: a machine that was approved and lost its key (its disk is restored
at every boot) comes back by host name and machine.
"""

from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import NamedTuple, TypeAlias

import msgspec

from wire.enrolment import Refusal
from wire.identity import IdentityStep


class JoinState(StrEnum):
    """Where one machine of a batch stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


class DeskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of the doors, from `[enrolment]` in defaults.toml.

    live_ms: an identity heard within this is speaking now. alarm_again_ms: the same identity is not alarmed about more
    often. backdate_ms: certificates begin this much earlier, for machines whose clock is behind.
    """

    claim_ms: int
    batch_longest_ms: int
    certificate_ms: int
    backdate_ms: int
    live_ms: int
    alarm_again_ms: int


class Asked(NamedTuple):
    """Who asks. machine, key: digests, of its machine id and of the public key it made. address: as we see it."""

    host: str
    machine: str
    key: str
    address: str


class Claim(NamedTuple):
    """A claim code for one identity. used_key: the key it was used with, "" = not yet."""

    identity: str
    expires_at: int
    used_key: str


class Batch(NamedTuple):
    """A batch token. size: how many machines it may bring in. cidrs: networks they come from."""

    name: str
    site: str
    size: int
    expires_at: int
    cidrs: tuple[str, ...]


class Join(NamedTuple):
    """One machine of a batch. key: of its latest request. is_enrolled: it has had a certificate."""

    state: JoinState
    machine: str
    key: str
    is_enrolled: bool


class Certificate(NamedTuple):
    """A certificate as the hub knows it. next_key, next_machine: of the one it was renewed by, "" = none."""

    identity: str
    key: str
    is_revoked: bool
    next_key: str
    next_machine: str
    is_from_batch: bool


class Speaking(NamedTuple):
    """Whether somebody speaks in an identity's name. heard_at: hub's ms, None = never.

    refused_at: when somebody else was last told to wait because of that, None = never.
    """

    heard_at: int | None = None
    refused_at: int | None = None


class Issue(NamedTuple):
    """Hand out a certificate. replaces: what the identity had before is revoked."""

    identity: str
    step: IdentityStep
    replaces: bool


class Wait(NamedTuple):
    """A person has to approve."""

    identity: str


class Refuse(NamedTuple):
    """Hand out nothing. is_alarm: two machines claim to be one."""

    reason: Refusal
    identity: str = ""
    is_alarm: bool = False


Answer: TypeAlias = Issue | Wait | Refuse


def on_claim(claim: Claim | None, asked: Asked, speaking: Speaking, now: int, limits: DeskLimits) -> Answer:
    """A machine shows a claim code. Asking again with the same key, after a lost answer, is the same request."""
    if claim is None:
        return Refuse(Refusal.UNKNOWN_CODE)
    if claim.used_key and claim.used_key != asked.key:
        return Refuse(Refusal.USED, claim.identity)
    if now >= claim.expires_at:
        return Refuse(Refusal.EXPIRED, claim.identity)
    if not claim.used_key and (refused := _spoken_for(claim.identity, speaking, now, limits)):
        return refused
    return Issue(claim.identity, IdentityStep.ENROLLED, replaces=True)


def on_batch(
    batch: Batch | None,
    asked: Asked,
    identity: str,
    join: Join | None,
    speaking: Speaking,
    *,
    joined: int,
    now: int,
    limits: DeskLimits,
) -> Answer:
    """A machine shows a batch token. identity: whose host name it has, "" = nobody's. joined: machines so far."""
    if batch is None:
        return Refuse(Refusal.UNKNOWN_CODE)
    if not identity:
        return Refuse(Refusal.UNKNOWN_HOST)
    if not _is_within(asked.address, batch.cidrs):
        return Refuse(Refusal.WRONG_ADDRESS, identity)
    if join is not None:
        return _known(join, asked, identity, speaking, now, limits)
    if now >= batch.expires_at:
        return Refuse(Refusal.EXPIRED, identity)
    if joined >= batch.size:
        return Refuse(Refusal.FULL, identity)
    return _spoken_for(identity, speaking, now, limits) or Wait(identity)


def on_renewal(shown: Certificate | None, asked: Asked) -> Answer:
    """A probe shows its certificate and asks for the next.

    A certificate is renewed once. Who renews it again with another key is a copy of the machine that did; unless it is
    the same machine of a batch, whose disk forgot the renewal.
    """
    if shown is None:
        return Refuse(Refusal.UNKNOWN_CODE)
    if shown.is_revoked:
        return Refuse(Refusal.REVOKED, shown.identity)
    forgot = shown.is_from_batch and shown.next_machine == asked.machine
    if shown.next_key and shown.next_key != asked.key and not forgot:
        return Refuse(Refusal.SEEN_TWICE, shown.identity, is_alarm=True)
    return Issue(shown.identity, IdentityStep.RENEWED, replaces=False)


def _known(join: Join, asked: Asked, identity: str, speaking: Speaking, now: int, limits: DeskLimits) -> Answer:
    if join.state is JoinState.REFUSED:
        return Refuse(Refusal.NOT_APPROVED, identity)
    if join.machine != asked.machine:
        return Refuse(Refusal.OTHER_MACHINE, identity, is_alarm=True)
    if join.state is JoinState.WAITING:
        return Wait(identity)
    if not join.is_enrolled or join.key == asked.key:
        return Issue(identity, IdentityStep.ENROLLED, replaces=True)
    return _spoken_for(identity, speaking, now, limits) or Issue(identity, IdentityStep.RETURNED, replaces=True)


def _spoken_for(identity: str, speaking: Speaking, now: int, limits: DeskLimits) -> Refuse | None:
    """Refuse while somebody speaks in that name.

    A machine that has just restarted was heard before it was refused; one heard again after that is another machine.
    """
    if speaking.heard_at is None or now - speaking.heard_at >= limits.live_ms:
        return None
    if speaking.refused_at is not None and speaking.heard_at > speaking.refused_at:
        return Refuse(Refusal.SEEN_TWICE, identity, is_alarm=True)
    return Refuse(Refusal.STILL_SPEAKING, identity)


def _is_within(address: str, cidrs: tuple[str, ...]) -> bool:
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in ip_network(cidr) for cidr in cidrs)
