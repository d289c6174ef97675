"""One request to the hub that stores nothing: is it the hub, does it know our token, what time has it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from agent_probe._core.http1 import Response
from agent_probe.config import HubConfig, ProbeConfig, ProbeSettings, Transport
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.errors import ProbeUnavailable
from agent_probe.http_port import HttpPort
from agent_probe.hub import proxy_for, read_url

MS_PER_S: Final = 1000
DATE_COVERS_MS = MS_PER_S
"""A Date header is cut to whole seconds."""
RECOGNISED: Final = frozenset({415, 422, 429, 503})
"""Said only to somebody whose token or certificate was recognised: the door looks at that first."""
UNRECOGNISED: Final = frozenset({401, 403})
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Visit(NamedTuple):
    """What the hub answered, and our own clock in ms just before and after."""

    answer: Response
    asked_at: int
    answered_at: int


async def visit_hub(
    config: ProbeConfig,
    settings: ProbeSettings,
    now_ms: Callable[[], int],
    clock_limit_ms: int,
    spare: HubConfig | None = None,
) -> list[Finding]:
    """The clock, the token and, where a proxy stands between, the way to the hub.

    spare: who is asked for the time alone where no hub is posted to and no time server is configured.
    """
    if config.hub is None or config.transport is Transport.MQTT:
        return [] if config.network.time_server else [await _time_alone(spare, settings, now_ms, clock_limit_ms)]
    hub, address = config.hub, read_url(config.hub.url)
    behind_proxy = proxy_for(address, hub.proxy) is not None
    found = await _visit(hub, settings, now_ms)
    if isinstance(found, ProbeUnavailable):
        way = [_no_way(address.authority, found)] if behind_proxy else []
        return [*way, skipped(Subject.CLOCK, address.authority), skipped(Subject.IDENTITY, address.authority)]
    way = [well(Subject.TLS, address.authority, f"HTTP {found.answer.status}")] if behind_proxy else []
    return [*way, _clock(found, address.authority, clock_limit_ms), _token(found.answer, hub, address.authority)]


async def _time_alone(
    hub: HubConfig | None, settings: ProbeSettings, now_ms: Callable[[], int], limit_ms: int
) -> Finding:
    if hub is None:
        return skipped(Subject.CLOCK, "", Because.CLOCK_NOTHING)
    about, found = read_url(hub.url).authority, await _visit(hub, settings, now_ms)
    if isinstance(found, ProbeUnavailable):
        return skipped(Subject.CLOCK, about)
    return _clock(found, about, limit_ms)


async def _visit(hub: HubConfig, settings: ProbeSettings, now_ms: Callable[[], int]) -> Visit | ProbeUnavailable:
    port = HttpPort(hub, settings.uplink, settings.http)
    try:
        await port.connect()
        asked_at = now_ms()
        answer = await port.knock()
        return Visit(answer, asked_at, now_ms())
    except ProbeUnavailable as error:
        return error
    finally:
        await port.close()


def _no_way(about: str, error: ProbeUnavailable) -> Finding:
    because = Because.PROXY_REFUSES if error.cause == "proxy" else Because.TLS_OTHER
    return problem(Subject.TLS, about, because, error=error.detail)


def _clock(visit: Visit, about: str, limit_ms: int) -> Finding:
    """Our clock against the Date of the answer: a problem only if it must be wrong by more than the limit."""
    try:
        said = (parsedate_to_datetime(visit.answer.headers.get("date", "")) - EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError):
        return skipped(Subject.CLOCK, about, Because.CLOCK_NOTHING)
    fast_ms = visit.asked_at - (said + DATE_COVERS_MS)
    slow_ms = said - visit.answered_at
    wrong_ms = max(fast_ms, slow_ms)
    if wrong_ms > limit_ms:
        sign = "+" if fast_ms > slow_ms else "-"
        return problem(Subject.CLOCK, about, Because.CLOCK_WRONG, offset=f"{sign}{wrong_ms // MS_PER_S}")
    return well(Subject.CLOCK, about, f"{max(0, wrong_ms)} ms")


def _token(answer: Response, hub: HubConfig, about: str) -> Finding:
    if answer.status in UNRECOGNISED:
        shown = hub.tls is not None and hub.tls.cert_file
        without_token = Because.IDENTITY_ENDED if shown else Because.IDENTITY_NONE
        return problem(Subject.IDENTITY, about, Because.IDENTITY_REFUSED if hub.token_file else without_token)
    if answer.status in RECOGNISED:
        return well(Subject.IDENTITY, about, f"HTTP {answer.status}")
    return problem(Subject.IDENTITY, about, Because.HUB_OTHER, status=str(answer.status))
