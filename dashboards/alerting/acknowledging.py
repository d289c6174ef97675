"""The link in a page: it names what it is about and whom it was sent to, signed so that nobody can make one up."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

PATH: Final = "/acknowledge"


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. name_chars: of what a person may write about themselves. form_bytes_max: of the whole form."""

    link_lasts_ms: int
    link_incident_characters: int
    name_chars: int
    form_bytes_max: int


class Named(NamedTuple):
    """What a link is about, the channel it went over, and whether its time is over."""

    incidents: list[str]
    by: str
    has_run_out: bool


class Links:
    """Makes links and reads them. public_url: where a telephone reaches the server; "" makes none."""

    def __init__(self, public_url: str, key: bytes, *, settings: LinkSettings, clock_ms: Callable[[], int]) -> None:
        self._url: Final = public_url.rstrip("/")
        self._key: Final = key
        self._settings: Final = settings
        self._clock_ms: Final = clock_ms

    def link(self, incidents: Sequence[str], by: str) -> str:
        """The address under which whoever reads the channel `by` takes these incidents on."""
        if not self._url:
            return ""
        listed = self._listed(incidents)
        until = str(self._clock_ms() + self._settings.link_lasts_ms)
        fields = {"incidents": listed, "by": by, "until": until, "sign": self._sign(listed, by, until)}
        return f"{self._url}{PATH}?{urlencode(fields, safe=',')}"

    def read(self, query: Mapping[str, str]) -> Named | None:
        """What a link of ours is about; None where it is not one of ours."""
        listed, by, until = query.get("incidents", ""), query.get("by", ""), query.get("until", "")
        expected = self._sign(listed, by, until).encode()
        if not hmac.compare_digest(expected, query.get("sign", "").encode("utf-8", "surrogateescape")):
            return None
        return Named(listed.split(","), by, self._clock_ms() > int(until))

    def _listed(self, incidents: Sequence[str]) -> str:
        ends = accumulate(len(incident) + len(",") for incident in incidents)
        fitting = sum(end <= self._settings.link_incident_characters for end in ends)
        return ",".join(incidents[:fitting])

    def _sign(self, incidents: str, by: str, until: str) -> str:
        text = f"{incidents}\n{by}\n{until}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
