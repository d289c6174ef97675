"""Whom a certificate that was shown at a TLS door of ours speaks for."""

from collections.abc import Callable

from aiohttp import web

from collector.enrolment.door import shown_serial
from collector.enrolment.store import EnrolmentStore
from collector.errors import IdentityEnded
from collector.sources import Principal


class Bearers:
    """Looks at every request and not only at the handshake, so that a kept connection ends with its identity."""

    def __init__(self, store: EnrolmentStore, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms

    def identify(self, request: web.Request) -> Principal | None:
        """The source named by the certificate, None where none was shown. IdentityEnded."""
        serial = shown_serial(request)
        if serial is None:
            return None
        certificate, issued = self._store.certificate(serial), self._store.issued(serial)
        if certificate is None or issued is None or certificate.is_revoked or issued.not_after <= self._clock_ms():
            raise IdentityEnded
        return Principal(frozenset({certificate.identity}))
