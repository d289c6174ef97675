"""The bearer tokens by which Alertmanager says who it is."""

import hashlib
import hmac

from aiohttp import web


def is_bearer(request: web.Request, digest: bytes) -> bool:
    """Whether a request bears the token with this SHA-256."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    presented = hashlib.sha256(bearer.strip().encode("utf-8", "surrogateescape")).digest()
    return scheme.lower() == "bearer" and hmac.compare_digest(presented, digest)
