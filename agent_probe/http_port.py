"""The hub's HTTPS door behind the same four methods as a broker: a frame is posted, its answer is the acknowledgement.

For sites whose firewall lets nothing but HTTPS out. One request at a time over one kept connection, through a proxy
where there is one. An answer that is not the hub's own, a captive portal's for one, acknowledges nothing.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Final

from agent_probe._core.http1 import HttpProtocolError, Response, ResponseParser, encode_request
from agent_probe.config import HttpSettings, HubConfig, TlsConfig, UplinkSettings
from agent_probe.errors import ProbeUnavailable
from agent_probe.hub import Address, basic_credentials, proxy_for, read_url
from agent_probe.secret import read_secret
from wire.limits import FRAME_BYTES_MAX

MS_PER_S: Final = 1000
# Batch: bytes of one read.
READ_AT_ONCE: Final = 16 * 1024
EVENTS: Final = "/v1/events"
MSGPACK: Final = "application/msgpack"
ACKNOWLEDGED: Final = frozenset({200, 409})
"""409 says that a frame is durable and contradicts an earlier one: the acknowledgement is in it all the same."""
NOT_NOW: Final = frozenset({429, 503})
# Format: the hub's word, in JSON and in MessagePack alike.
IDENTITY_ENDED: Final = b"identity_ended"
NEVER_AS_IT_IS: Final = frozenset({301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 407, 413, 415, 422})
"""Sent again at once it would be refused again: what has to change is a token, a setting or a version."""


class ProxyRefusal(HttpProtocolError):
    """The proxy does not connect us."""


class HttpPort:
    """See agent_probe.mqtt.MqttPort. Topics are not used: a frame itself says whose it is and which lane's."""

    def __init__(
        self,
        hub: HubConfig,
        uplink: UplinkSettings,
        settings: HttpSettings,
        *,
        bind_address: Callable[[], str] | None = None,
        refused: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """bind_address: asked at each `connect` for the address to come from; None takes the configured one.

        refused: told with each answer of the hub's whether it takes us for nobody it knows.
        """
        self._hub = hub
        self._refused = refused
        self._bind_address = bind_address or (lambda: hub.bind_address)
        self._local = hub.bind_address
        self._uplink = uplink
        self._settings = settings
        self._address = read_url(hub.url)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._acks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=uplink.acks_queued)

    async def connect(self) -> None:
        """As the port says. Whether the hub takes us the first frame shows."""
        self._acks = asyncio.Queue(maxsize=self._uplink.acks_queued)
        self._local = self._bind_address()  # kept when the other end closes in between: over another line nobody knew
        try:
            await self._open()
        except (OSError, ValueError) as error:
            raise _unavailable(error) from None

    async def publish(self, topic: str, payload: bytes) -> None:  # noqa: ARG002 - the port's arguments
        """As the port says."""
        answer = await self._post(payload, MSGPACK)
        self._judge(answer)
        await self._acks.put(answer.body)

    async def messages(self) -> AsyncIterator[bytes]:
        """As the port says; that a connection ended shows when the next frame is posted."""
        while True:
            yield await self._acks.get()

    async def knock(self) -> Response:
        """What the hub says to a request without a frame: it stores nothing. Raises ProbeUnavailable."""
        return await self._post(b"", "text/plain")

    async def close(self) -> None:
        """As the port says."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _post(self, payload: bytes, content_type: str) -> Response:
        try:
            async with asyncio.timeout(self._uplink.publish_ms / MS_PER_S):
                if self._writer is None:
                    await self._open()
                answer = await self._ask(self._request(payload, content_type), FRAME_BYTES_MAX)
        except (OSError, ValueError) as error:
            raise _unavailable(error) from None
        if not answer.keeps_open:
            await self.close()
        return answer

    def _judge(self, answer: Response) -> None:
        """Raise ProbeUnavailable unless the hub made the frame durable."""
        if answer.status in ACKNOWLEDGED and answer.headers.get("content-type", "").partition(";")[0] == MSGPACK:
            self._refused(False)  # noqa: FBT003 - what the hub said
            return
        if IDENTITY_ENDED in answer.body:
            self._refused(True)  # noqa: FBT003 - likewise
        detail = f"HTTP {answer.status}"
        if answer.status in ACKNOWLEDGED:
            raise ProbeUnavailable("hub", f"{detail}, but it is not the hub that answers", self._settings.slowly_ms)
        if answer.status in NOT_NOW:
            raise ProbeUnavailable("hub", detail, self._wait_asked_for(answer.headers.get("retry-after", "")))
        if answer.status in NEVER_AS_IT_IS:
            raise ProbeUnavailable("hub", detail, self._settings.slowly_ms)
        raise ProbeUnavailable("hub", detail)

    def _wait_asked_for(self, retry_after: str) -> int:
        """In ms; at most `slowly_ms`, whatever is asked for. The form with a date is not used by the hub."""
        if not (retry_after.isascii() and retry_after.isdecimal()):
            return self._uplink.reconnect_max_ms
        return min(int(retry_after) * MS_PER_S, self._settings.slowly_ms)

    def _request(self, payload: bytes, content_type: str) -> bytes:
        headers = [("Host", self._address.authority), ("Content-Type", content_type), ("Accept", MSGPACK)]
        if self._hub.token_file:
            headers.append(("Authorization", f"Bearer {read_secret(self._hub.token_file)}"))
        return encode_request("POST", self._address.path + EVENTS, headers, payload)

    async def _open(self) -> None:
        """Connect, through the proxy if there is one. Raises OSError, HttpProtocolError, ValueError."""
        await self.close()
        hub, proxy = self._address, proxy_for(self._address, self._hub.proxy)
        first = proxy or hub
        local = (self._local, 0) if self._local else None
        async with asyncio.timeout(self._uplink.connect_ms / MS_PER_S):
            self._reader, self._writer = await asyncio.open_connection(
                first.host,
                first.port,
                local_addr=local,
                ssl=tls_context(TlsConfig() if proxy else self._hub.tls) if first.is_tls else None,
            )
            if proxy is not None:
                await self._pass(proxy, self._writer)

    async def _pass(self, proxy: Address, writer: asyncio.StreamWriter) -> None:
        """Have the proxy connect us to the hub, and speak TLS with the hub through it."""
        target = (
            f"{f'[{self._address.host}]' if ':' in self._address.host else self._address.host}:{self._address.port}"
        )
        headers = [("Host", target)]
        if proxy.user:
            headers.append(("Proxy-Authorization", basic_credentials(proxy.user)))
        answer = await self._ask(encode_request("CONNECT", target, headers), 0, never_a_body=True)
        if answer.status != 200:
            await self.close()
            raise ProxyRefusal(f"the proxy {proxy.host}:{proxy.port} answers {answer.status}")
        if self._address.is_tls:
            await writer.start_tls(tls_context(self._hub.tls), server_hostname=self._address.host)

    async def _ask(self, request: bytes, body_bytes: int, *, never_a_body: bool = False) -> Response:
        if self._reader is None or self._writer is None:
            raise HttpProtocolError("not connected")
        self._writer.write(request)
        await self._writer.drain()
        parser = ResponseParser(head_bytes=self._settings.head_bytes, body_bytes=body_bytes, never_a_body=never_a_body)
        while True:
            data = await self._reader.read(READ_AT_ONCE)
            answer = parser.feed(data) if data else parser.ended()
            if answer is not None:
                return answer


def tls_context(tls: TlsConfig | None) -> ssl.SSLContext:
    """As a client: the authority's and our own certificate, where they are named. Raises OSError."""
    files = tls or TlsConfig()
    context = ssl.create_default_context(cafile=files.ca_file or None)
    if files.cert_file:
        context.load_cert_chain(files.cert_file, files.key_file)
    return context


def _unavailable(error: Exception) -> ProbeUnavailable:
    cause = "proxy" if isinstance(error, ProxyRefusal) else "hub"
    return ProbeUnavailable(cause, str(error) or type(error).__name__)
