"""Who may say that they look after somebody: a credential with a name, never a screen that only looks."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from dashboards.wallboard.access import Access

THIS_MACHINE: Final = "localhost"
"""Who says it where no token is configured, and the machine itself may do everything."""


class Leaders:
    """names: SHA-256 of a token, as hex -> the name it is recorded under."""

    def __init__(self, access: Access, names: Mapping[str, str]) -> None:
        self._access: Final = access
        self._names: Final = dict(names)

    def screen_of(self, request: web.Request) -> str:
        """The device or the credential that asks, by its name; "" where it has none."""
        device = self._access.device_of(request)
        return (self.name_of(request) or "") if device is None else device.name

    def name_of(self, request: web.Request) -> str | None:
        """Under which name the request may look after somebody; None = it may not, as no device may."""
        if self._access.device_of(request) is not None:
            return None
        if self._access.has_tokens:
            return self._names.get(self._access.digest_of_request(request))
        is_screen = self._access.device_of(request) is not None
        return None if is_screen or self._access.scope_of_request(request) is None else THIS_MACHINE
