"""A host and a port: does the name resolve, does the port answer, does the other end prove who it is."""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Final, NamedTuple

from agent_probe.config import ProbeConfig, TlsConfig, Transport
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.http_port import tls_context
from agent_probe.hub import proxy_for, read_url

MS_PER_S: Final = 1000
VERIFY_CODES: Final = {
    9: Because.TLS_NOT_YET,
    10: Because.TLS_EXPIRED,
    18: Because.TLS_AUTHORITY,
    19: Because.TLS_AUTHORITY,
    20: Because.TLS_AUTHORITY,
    21: Because.TLS_AUTHORITY,
    62: Because.TLS_NAME,
    64: Because.TLS_NAME,
}
"""OpenSSL's X509_V_ERR_*."""
NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
WANTS_OURS: Final = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE", "SSLV3_ALERT_BAD_CERTIFICATE"}
    | {"TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_CERTIFICATE_EXPIRED"}
    | {"SSLV3_ALERT_CERTIFICATE_REVOKED", "TLSV1_ALERT_ACCESS_DENIED"}
)


class Waits(NamedTuple):
    """In ms. connect_ms: for a name, a connection, a handshake. listen_ms: for a refusal behind a handshake."""

    connect_ms: int
    listen_ms: int


class Endpoint(NamedTuple):
    """What the probe connects to. tls None: spoken to in the clear, or, behind a proxy, looked at elsewhere."""

    host: str
    port: int
    tls: TlsConfig | None
    bind_address: str = ""

    @property
    def about(self) -> str:
        """As a person writes it."""
        return f"{self.host}:{self.port}"


def endpoints(config: ProbeConfig) -> list[Endpoint]:
    """The broker and the hub, or what stands before it, as far as the transport uses them."""
    found = []
    broker, hub = config.broker, config.hub
    if config.transport is not Transport.HTTPS:
        found.append(Endpoint(broker.host, broker.port, broker.tls, broker.bind_address))
    if hub is not None and config.transport is not Transport.MQTT:
        address = read_url(hub.url)
        first = proxy_for(address, hub.proxy) or address
        tls = (hub.tls or TlsConfig()) if first == address and address.is_tls else None
        found.append(Endpoint(first.host, first.port, tls, hub.bind_address))
    return found


async def look_at(endpoint: Endpoint, waits: Waits) -> list[Finding]:
    """Name, port and TLS of one endpoint; what cannot be looked at for an earlier trouble is skipped."""
    about = endpoint.about
    name = await _name(endpoint, waits)
    if name.because is not Because.SEEN:
        return [name, skipped(Subject.PORT, about), skipped(Subject.TLS, about)]
    port = await _port(endpoint, waits)
    if port.because is not Because.SEEN:
        return [name, port, skipped(Subject.TLS, about)]
    if endpoint.tls is None:
        return [name, port, skipped(Subject.TLS, about, Because.TLS_OFF)]
    return [name, port, await _tls(endpoint, endpoint.tls, waits)]


async def _name(endpoint: Endpoint, waits: Waits) -> Finding:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(waits.connect_ms / MS_PER_S):
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return problem(Subject.NAME, endpoint.about, Because.NAME_UNKNOWN, host=endpoint.host)
    addresses = dict.fromkeys(str(address[4][0]) for address in found)
    return well(Subject.NAME, endpoint.about, ", ".join(addresses))


async def _port(endpoint: Endpoint, waits: Waits) -> Finding:
    local = (endpoint.bind_address, 0) if endpoint.bind_address else None
    try:
        async with asyncio.timeout(waits.connect_ms / MS_PER_S):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, local_addr=local)
    except ConnectionRefusedError:
        return problem(Subject.PORT, endpoint.about, Because.PORT_REFUSED, port=str(endpoint.port))
    except TimeoutError:
        return problem(Subject.PORT, endpoint.about, Because.PORT_SILENT, port=str(endpoint.port))
    except OSError as error:
        return problem(Subject.PORT, endpoint.about, Because.PORT_UNREACHABLE, error=error.strerror or str(error))
    from_address = writer.get_extra_info("sockname")[0]
    writer.transport.abort()
    return well(Subject.PORT, endpoint.about, str(from_address))


async def _tls(endpoint: Endpoint, tls: TlsConfig, waits: Waits) -> Finding:
    about = endpoint.about
    try:
        context = tls_context(tls)
    except OSError as error:
        return problem(Subject.TLS, about, Because.IDENTITY_UNREADABLE, error=error.strerror or str(error))
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(waits.connect_ms / MS_PER_S):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
        spoken = str(writer.get_extra_info("ssl_object").version())
        with suppress(TimeoutError):  # a server that wants a certificate of ours says so behind the handshake
            async with asyncio.timeout(waits.listen_ms / MS_PER_S):
                await reader.read(1)
    except ssl.SSLCertVerificationError as error:
        because = VERIFY_CODES.get(error.verify_code, Because.TLS_OTHER)
        return problem(Subject.TLS, about, because, host=endpoint.host, error=error.verify_message)
    except ssl.SSLError as error:
        return problem(Subject.TLS, about, _because(error.reason or ""), error=error.reason or str(error))
    except OSError as error:
        return problem(Subject.TLS, about, Because.TLS_NOT_SPOKEN, error=error.strerror or str(error))
    finally:
        if writer is not None:
            writer.transport.abort()
    return well(Subject.TLS, about, spoken)


def _because(reason: str) -> Because:
    if reason in NOT_TLS:
        return Because.TLS_NOT_SPOKEN
    return Because.TLS_WANTS_OURS if reason in WANTS_OURS else Because.TLS_OTHER
