"""What one TV shows: pages of panels, each of some clients, queues, teams and sites."""

from typing import Final

import msgspec

PANELS: Final = ("queues", "clients", "teams", "sites")
MAP: Final = "map"
TEAM: Final = "team/"
"""Screens of their own that a page may be: the floor seat by seat, and, before its id, a team person by person."""


class LayoutPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page. panels: from top to bottom. The lists say what of each is shown, in their order; None = all of it.

    queues: as `client/queue`. columns: of queues. screen: a screen of its own that the page is instead, "" = none.
    """

    title: str
    panels: tuple[str, ...]
    clients: tuple[str, ...] | None
    queues: tuple[str, ...] | None
    teams: tuple[str, ...] | None
    sites: tuple[str, ...] | None
    columns: int
    screen: str = ""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Pages of one TV. language: "" = as the address says. turn_ms: how long a page stays."""

    name: str
    language: str
    turn_ms: int
    pages: tuple[LayoutPage, ...]
