"""One phone line: an OPTIONS every few seconds, and a REGISTER when one is due."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from agent_probe._core.gate import Rhythm
from agent_probe.errors import ProbeUnavailable
from agent_probe.secret import read_secret
from agent_probe.sensors.base import Reading, Schedule, Stamp
from agent_probe.sensors.phone_line.connection import Exchange, SipConnection, TrunkAddress
from agent_probe.sensors.phone_line.digest import Challenge, challenge_of, credentials
from agent_probe.sensors.phone_line.registration import TOO_BRIEF, Registrar, RegistrationRules
from agent_probe.sensors.phone_line.sip import COOKIE, Answer, Dialogue, Hop, request
from agent_probe.sensors.phone_line.transaction import TransactionRules
from agent_probe.sensors.phone_line.trunk import Trunk, TrunkBelieved, TrunkRules, Turn
from wire.limits import DURATION_MAX_MS
from wire.phone import PhoneLineReading, Registration, TrunkState

MS_PER_S: Final = 1000
# Format: RFC 3261, section 19.3: at least 32 bits of chance.
RANDOM: Final = 8
"""Bytes of chance in a tag, branch or Call-ID."""
# Bound: a registrar has no fourth reason to ask again.
ASKED_AGAIN_AT_MOST: Final = 3
"""REGISTERs after the first: with credentials, with a longer life, with a fresher nonce. One more would be a loop."""
EXPIRES: Final = re.compile(r";\s*expires\s*=\s*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PhoneLineSettings:
    """suspect: how often to ask while the last turn contradicts what is believed."""

    schedule: Schedule
    suspect: Schedule
    rhythm: Rhythm
    trunk: TrunkRules
    registration: RegistrationRules
    transaction: TransactionRules


class Account(NamedTuple):
    """Whom to register. aor: the address of record, `sip:user@domain`. password_file holds the password alone."""

    aor: str
    username: str
    password_file: str


class PhoneLineSensor:
    """Samples one trunk, and its registrar if there is an account."""

    def __init__(
        self,
        name: str,
        address: TrunkAddress,
        settings: PhoneLineSettings,
        *,
        account: Account | None,
        via_line: str,
        site: str,
        clock_domain: str,
    ) -> None:
        self.name = f"phone_line/{name}"
        self.schedule = settings.schedule
        self._phone_line = name
        self._address = address
        self._settings = settings
        self._account = account
        self._via_line = via_line
        self._site = site
        self._clock_domain = clock_domain
        self._connection = SipConnection(address, settings.transaction)
        self._trunk = Trunk(settings.trunk)
        self._registrar = Registrar(settings.registration)
        self._call_id = secrets.token_hex(RANDOM)
        self._number = 0

    async def open(self) -> None:
        """Nothing: not reaching the trunk is a finding, not a failure of the sensor."""

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """One OPTIONS; and a REGISTER if the trunk answered and one is due."""
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        uri = f"sip:{host}:{self._address.port}"
        try:
            exchange = await self._ask("OPTIONS", Dialogue(uri, uri, "", *self._ids()), ())
        except ProbeUnavailable as missed:
            return [self._reading(None, missed.cause, now)]
        if self._account is not None and self._registrar.is_due(now.monotonic):
            await self._register(self._account, now.monotonic)
        return [self._reading(exchange, "", now)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:
        """A sample that took too long: a miss like any other."""
        return [self._reading(None, cause, now)]

    async def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    async def _ask(self, method: str, dialogue: Dialogue, more: Sequence[tuple[str, str]]) -> Exchange:
        branch = COOKIE + secrets.token_hex(RANDOM)
        self._number += 1

        def build(hop: Hop) -> bytes:
            return request(method, dialogue, hop, branch=branch, number=self._number, more=more)

        return await self._connection.exchange(build, branch)

    def _ids(self) -> tuple[str, str]:
        """A tag and a Call-ID nobody used before."""
        return secrets.token_hex(RANDOM), secrets.token_hex(RANDOM)

    async def _register(self, account: Account, now: int) -> None:
        """Register, meeting a challenge and a request for a longer life once each."""
        self._registrar.began()
        try:
            answer = await self._registered(account)
        except ProbeUnavailable:
            self._registrar.unanswered(now)
        else:
            # Format: RFC 3261, section 7.2: below 300 it worked.
            if answer.code < 300:
                self._registrar.accepted(_granted_ms(answer, self._registrar.lifetime_ms), now)
            else:
                self._registrar.refused(answer.code, now)

    async def _registered(self, account: Account) -> Answer:
        """What the registrar says in the end."""
        dialogue = Dialogue(_domain(account.aor), account.aor, account.aor, self._ids()[0], self._call_id)
        proof: list[tuple[str, str]] = []
        answer = await self._ask_to_register(dialogue, proof)
        for _ in range(ASKED_AGAIN_AT_MOST):
            least_ms = (answer.number("min-expires") or 0) * MS_PER_S
            challenge = challenge_of(answer)
            if challenge is not None and (not proof or challenge.stale):
                proof = [(challenge.header, self._proof(account, challenge, dialogue.uri))]
            elif answer.code != TOO_BRIEF or not self._registrar.wants_longer(least_ms):
                break
            answer = await self._ask_to_register(dialogue, proof)
        return answer

    async def _ask_to_register(self, dialogue: Dialogue, proof: Sequence[tuple[str, str]]) -> Answer:
        lifetime_s = -(-self._registrar.lifetime_ms // MS_PER_S)
        return (await self._ask("REGISTER", dialogue, [("Expires", str(lifetime_s)), *proof])).answer

    def _proof(self, account: Account, challenge: Challenge, uri: str) -> str:
        try:
            password = read_secret(account.password_file)
        except (OSError, UnicodeDecodeError) as error:
            raise ProbeUnavailable("password_file", str(error)) from None
        return credentials(
            challenge,
            username=account.username,
            password=password,
            method="REGISTER",
            uri=uri,
            cnonce=secrets.token_hex(RANDOM),
            count=1,
        )

    def _reading(self, exchange: Exchange | None, error: str, now: Stamp) -> Reading:
        turn = Turn(None) if exchange is None else Turn(exchange.answer.code, exchange.rtt_us)
        believed = self._trunk.observe(turn, now.monotonic)
        self.schedule = self._settings.suspect if _is_suspect(believed, turn) else self._settings.schedule
        registration = Registration.UNMONITORED
        if self._account is not None:
            registration = self._registrar.state(now.monotonic)

        def body() -> PhoneLineReading:
            retry_after_s = None if exchange is None else exchange.answer.number("retry-after")
            return PhoneLineReading(
                **now.head(self._clock_domain),
                site=self._site,
                phone_line=self._phone_line,
                state=believed.state,
                registration=registration,
                transport=self._address.transport,
                rtt_us=None if exchange is None else exchange.rtt_us,
                last_code=turn.code,
                retry_after_ms=None if retry_after_s is None else min(retry_after_s * MS_PER_S, DURATION_MAX_MS),
                expires_in_ms=None if self._account is None else self._registrar.expires_in_ms(now.monotonic),
                via_line=self._via_line,
                misses=believed.misses,
                since_ms=min(believed.since_ms, DURATION_MAX_MS),
                error=error,
            )

        return Reading(self.name, (believed.state, registration), self._settings.rhythm, body)


def _is_suspect(believed: TrunkBelieved, turn: Turn) -> bool:
    """Whether to look again soon. Not when it answers that it takes no calls: asking more often makes that worse."""
    if turn.code is None:
        return not believed.is_settled
    return believed.misses == 0 and not believed.is_settled and believed.state is not TrunkState.UNKNOWN


def _domain(aor: str) -> str:
    """The registrar's address in an address of record."""
    scheme, _, rest = aor.partition(":")
    return f"{scheme}:{rest.rpartition('@')[2]}"


def _granted_ms(answer: Answer, asked_ms: int) -> int:
    """How long a 200 says that the binding holds; it lists all of the account's, and the newest lives longest."""
    said = [int(value) for contact in answer.headers.get("contact", ()) for value in EXPIRES.findall(contact)]
    expires_s = max(said) if said else answer.number("expires")
    return asked_ms if expires_s is None else max(1, expires_s) * MS_PER_S
