"""Back to the page that somebody was on the way to when they were asked to sign in."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from yarl import URL

from dashboards.portal.doors import ROOT

SIGN_IN: Final = f"{ROOT}/sign-in"


def form_address(request: web.Request, language: str) -> str:
    """The address of the form, which knows the page that was asked for; the first page needs no naming."""
    asked = str(request.rel_url)
    return carried({"to": "" if request.path == ROOT else asked}, language)


def carried(query: Mapping[str, str], language: str, **why: str) -> str:
    """The form's address with the page that its own names, where that is one of ours."""
    to = _page(query.get("to", ""))
    told = {"lang": language, **({} if to is None else {"to": str(to)}), **why}
    return f"{SIGN_IN}?{urlencode(told)}"


def way_back(query: Mapping[str, str], language: str) -> str:
    """Where somebody goes who has signed in: the page that the form's address names, else the first one."""
    to = _page(query.get("to", "")) or URL(f"{ROOT}/service")
    return str(to.update_query(lang=language))


def _page(text: str) -> URL | None:
    """A page of the portal and never another place; None for anything else. A browser reads a backslash as a slash."""
    if "\\" in text or not text.isprintable():
        return None
    try:
        to = URL(text)
    except ValueError:
        return None
    # `http:/portal/x` has our path too, and a browser makes a host of it
    is_ours = text.startswith(f"{ROOT}/") and to.path.startswith(f"{ROOT}/") and ".." not in to.parts
    return to if is_ours and to.path != SIGN_IN else None
