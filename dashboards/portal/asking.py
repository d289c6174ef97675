"""What the address of a page asks for."""

import re

import msgspec

from dashboards.portal.accounts import Account
from dashboards.portal.doors import Visit
from dashboards.portal.record import Asked, AskedWronglyError
from dashboards.portal.site_record import Range, SiteAsked
from dashboards.portal.which import NAMES, Which
from wire.scope import Scope


def asked(visit: Visit) -> Asked:
    """Which client, days and queue."""
    query = visit.request.query
    return Asked(
        client=visit.client,
        language=visit.language,
        first=query.get("from", ""),
        last=query.get("to", ""),
        queue=query.get("queue", ""),
    )


def site_asked(visit: Visit) -> SiteAsked:
    """Which site and when, within what the account may see. Raises AskedWronglyError."""
    query = visit.request.query
    try:
        shown = Range(query.get("range", Range.DAY))
    except ValueError:
        raise AskedWronglyError("range") from None
    return SiteAsked(
        client=visit.client,
        language=visit.language,
        scope=scope_of(visit.account),
        site=query.get("site", ""),
        range=shown,
        until=query.get("until", ""),
    )


def which_asked(visit: Visit) -> Which:
    """What the sessions asked for have in common. Raises AskedWronglyError."""
    query = visit.request.query
    try:
        return msgspec.convert({name: query[name] for name in NAMES if query.get(name)}, Which, strict=False)
    except msgspec.ValidationError:
        raise AskedWronglyError("which") from None


def page_number(visit: Visit) -> int:
    """The page of a list, from 1 on. Raises AskedWronglyError."""
    number = visit.request.query.get("page", "1")
    if re.fullmatch(r"[1-9]\d{0,6}", number, re.ASCII) is None:
        raise AskedWronglyError("page")
    return int(number)


def scope_of(account: Account | None) -> Scope:
    """What an account may see."""
    return Scope(clients=frozenset(), sites=frozenset()) if account is None else account.scope
