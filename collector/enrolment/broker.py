"""Tells a Mosquitto who may speak: writes its files, lets it read them again, and brings a running one up to date."""

import os
import signal
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import aiomqtt
import msgspec
from cryptography import x509

from collector.enrolment._core import broker as texts
from collector.enrolment._core.broker import BrokerLimits, Command, Listener
from collector.enrolment.authority import Authority, Span, write_secret
from collector.enrolment.errors import EnrolmentError
from collector.enrolment.store import EnrolmentStore

_SHARED: Final = 0o660
"""Files that the broker's own group reads; the plugin writes its file too."""


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds, from `[enrolment]` in defaults.toml. commands: most in one message. Times in ms.

    renewal_left: a certificate is renewed when only one of so many parts of its life is left.
    """

    certificate_ms: int
    backdate_ms: int
    broker_answer_ms: int
    broker_commands: int
    renewal_left: int


class Refused(EnrolmentError):
    """The broker's plugin did not do what it was told."""


class _Response(msgspec.Struct):
    command: str = ""
    error: str = ""
    data: dict[str, object] = {}


class _Answer(msgspec.Struct):
    responses: list[_Response]


_decode: Final = msgspec.json.Decoder(_Answer).decode


class Broker:
    """One Mosquitto. hosts: how machines reach it; its certificate names them."""

    def __init__(
        self,
        authority: Authority,
        store: EnrolmentStore,
        listener: Listener,
        hosts: tuple[str, ...],
        settings: BrokerSettings,
        limits: BrokerLimits,
    ) -> None:
        self._authority = authority
        self._store = store
        self._listener = listener
        self._hosts = hosts
        self._settings = settings
        self._limits = limits
        self._folder = Path(listener.folder)

    def write(self, identities: Iterable[str], now: int) -> bool:
        """Write every file that is not as it should be; whether the broker has to read them again. OSError."""
        self._put(texts.CONFIGURATION_FILE, texts.configuration(self._listener, self._limits).encode())
        self._put(texts.ACCESS_FILE, texts.access(identities))
        stale = self._put(texts.AUTHORITY_FILE, self._authority.pem)
        certificate = self._folder / texts.SERVER_FILE
        if not (self._folder / texts.SERVER_KEY_FILE).is_file() or needs_renewal(
            certificate, self._hosts, now, self._settings.renewal_left
        ):
            pair = self._authority.server(self._hosts, self._span(now))
            stale = self._put(texts.SERVER_KEY_FILE, pair.key) or stale
            stale = self._put(texts.SERVER_FILE, pair.certificate) or stale
        return self._write_revoked(now) or stale

    def reload(self) -> None:
        """Let the broker read its files again, if it runs. Raises EnrolmentError when it cannot be told."""
        self._signal(signal.SIGHUP)

    def is_running(self) -> bool:
        """Whether the process of the pid file runs; True where none is named, since nobody knows."""
        return not self._listener.pid_file or self._signal(0)

    def _signal(self, number: int) -> bool:
        """Send a signal, 0 = none, to the broker; whether it runs. Raises EnrolmentError where we may not."""
        if not self._listener.pid_file:
            return False
        try:
            os.kill(int(Path(self._listener.pid_file).read_text(encoding="ascii")), number)
        except (FileNotFoundError, ProcessLookupError):
            return False
        except (OSError, ValueError) as error:
            problem = f"{self._listener.pid_file}: the broker cannot be told to read its files ({error})"
            raise EnrolmentError(problem) from None
        return True

    async def bring_up_to_date(self, host: str, identities: Sequence[str], now: int) -> int:
        """Let a running broker know exactly `identities`; how many it learned or let go of.

        Raises EnrolmentError when it cannot be reached or does not do it.
        """
        try:
            async with aiomqtt.Client(
                host,
                self._listener.port,
                protocol=aiomqtt.ProtocolVersion.V5,
                timeout=self._settings.broker_answer_ms / 1000,
                tls_context=self._tls(now),
            ) as client:
                await client.subscribe(texts.CONTROL_ANSWERS)
                (present,) = await self._tell(client, [{"command": "listClients", "count": -1}])
                known = msgspec.convert(present.data.get("clients", []), list[str])
                wanted = texts.commands(known, [*identities, texts.HUB, texts.CONTROL])
                size = self._settings.broker_commands
                for start in range(0, len(wanted), size):
                    await self._tell(client, wanted[start : start + size])
        except (aiomqtt.MqttError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise EnrolmentError(f"the broker at {host}:{self._listener.port} cannot be reached ({error})") from None
        return len(wanted) // 2

    async def _tell(self, client: aiomqtt.Client, commands: Sequence[Command]) -> list[_Response]:
        """Send commands and wait for what became of them; roles that are there already, or gone, are no trouble."""
        await client.publish(texts.CONTROL_TOPIC, msgspec.json.encode({"commands": commands}), qos=1)
        message = await anext(client.messages)
        found = _decode(bytes(message.payload)).responses
        wrong = [each for each in found if each.error and "already exists" not in each.error]
        wrong = [each for each in wrong if "not found" not in each.error]
        if wrong:
            raise Refused(f"the broker refused {wrong[0].command}: {wrong[0].error}")
        return found

    def _write_revoked(self, now: int) -> bool:
        path, revoked = self._folder / texts.REVOKED_FILE, self._store.revoked(now)
        try:
            there = x509.load_pem_x509_crl(path.read_bytes())
            is_same = {f"{each.serial_number:x}" for each in there} == revoked.keys()
            halfway = int(there.last_update_utc.timestamp()) * 1000 + self._settings.certificate_ms // 2
            if is_same and now < halfway:
                return False
        except (FileNotFoundError, ValueError):
            pass  # none yet, or not readable: a new one is written
        until = now + self._settings.certificate_ms
        number = self._store.next_list_number()
        return self._put(texts.REVOKED_FILE, self._authority.revocations(revoked, number, now, until))

    def _put(self, name: str, content: bytes) -> bool:
        path = self._folder / name
        if path.is_file() and path.read_bytes() == content:
            return False
        write_secret(path, content, _SHARED)
        return True

    def _span(self, now: int) -> Span:
        return Span(now - self._settings.backdate_ms, now + self._settings.certificate_ms)

    def _tls(self, now: int) -> ssl.SSLContext:
        return client_context(self._authority, texts.CONTROL, self._span(now))


def client_context(authority: Authority, name: str, span: Span) -> ssl.SSLContext:
    """TLS towards our broker as a part of the hub. The broker is known by its authority: where it is, we were told."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.check_hostname = False
    load_pair(context, authority, name, span)
    return context


def load_pair(context: ssl.SSLContext, authority: Authority, name: str, span: Span) -> None:
    """Give `context` a fresh key and certificate of `name`, by way of a file that is gone at once."""
    pair = authority.client(name, span)
    passing = authority.directory / f"{name}.passing.pem"
    write_secret(passing, pair.key + pair.certificate)
    try:
        context.load_cert_chain(passing)
    finally:
        passing.unlink()


def needs_renewal(certificate: Path, hosts: tuple[str, ...], now: int, left_parts: int) -> bool:
    """Whether a server's certificate is missing, names other hosts, or is past two thirds of its life."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return True
    named = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    begins, ends = (int(each.timestamp()) * 1000 for each in (found.not_valid_before_utc, found.not_valid_after_utc))
    return named != set(hosts) or now >= ends - (ends - begins) // left_parts
