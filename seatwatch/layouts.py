"""Layouts of TVs as a person writes them: one TOML file of `[layout.NAME]` tables, checked whole.

[layout.floor-2]
language = "zh-CN"
turn_s = 20
[[layout.floor-2.page]]
title = "Acme"
panels = ["queues", "teams"]
clients = ["acme"]
columns = 2
[[layout.floor-2.page]]
screen = "team/3"
"""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from dashboards.wallboard._core.layout import MAP, PANELS, TEAM, Layout, LayoutPage
from seatwatch.sections import FileName, read_section
from wire.ids import is_name
from wire.toml import read_toml

LANGUAGES: Final = ("zh-CN", "en")


class WallboardSection(msgspec.Struct, frozen=True, kw_only=True):
    """The server's `[wallboard]`. layouts: a file beside the configuration; None = every TV shows everything."""

    layouts: FileName | None = None


class PageSection(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a layout; a list that is left out shows all of its kind. screen: "map" or "team/ID", instead."""

    screen: str = ""
    title: str = ""
    panels: tuple[str, ...] = PANELS
    clients: list[str] | None = None
    queues: list[str] | None = None
    teams: list[str] | None = None
    sites: list[str] | None = None
    # Layout: of a page.
    columns: Annotated[int, Meta(ge=1, le=2)] = 1


class LayoutSection(msgspec.Struct, frozen=True, kw_only=True):
    """A layout. turn_s: seconds a page stays; None = `board.layout_turn`."""

    language: str = ""
    # Bound: a page that turns sooner cannot be read, and later never comes.
    turn_s: Annotated[int, Meta(ge=5, le=3600)] | None = None
    page: list[PageSection] = []


class LayoutFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    layout: dict[str, LayoutSection] = {}


class Known(NamedTuple):
    """What the configuration names; teams are the roster's and cannot be looked up here. queues: as `client/queue`."""

    clients: Collection[str]
    queues: Collection[str]
    sites: Collection[str]


class Fault(NamedTuple):
    """One thing wrong: where, what, and what to write instead."""

    key: str
    problem: str
    fix: str


def read_layouts(path: Path, known: Known, turn_ms: int) -> tuple[dict[str, Layout], list[Fault]]:
    """The layouts in `path`, and every fault of the file. turn_ms: of a layout that states none."""
    faults: list[Fault] = []
    try:
        tables = read_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [
            Fault("wallboard.layouts", f"{path.name} cannot be read ({error.strerror})", "name an existing file")
        ]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Fault(path.name, f"is not TOML: {error}", "correct that line")]
    file = read_section(LayoutFile, tables, "", lambda key, what, fix: faults.append(Fault(key, what, fix)))
    for name, section in file.layout.items():
        faults += _layout_faults(name, section, known)
    return {name: _layout(name, section, turn_ms) for name, section in file.layout.items()}, faults


def _layout(name: str, section: LayoutSection, turn_ms: int) -> Layout:
    pages = tuple(
        LayoutPage(
            title=page.title,
            panels=page.panels,
            clients=_listed(page.clients),
            queues=_listed(page.queues),
            teams=_listed(page.teams),
            sites=_listed(page.sites),
            columns=page.columns,
            screen=page.screen,
        )
        for page in section.page
    )
    stays_ms = turn_ms if section.turn_s is None else section.turn_s * 1000
    return Layout(name=name, language=section.language, turn_ms=stays_ms, pages=pages)


def _listed(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _layout_faults(name: str, section: LayoutSection, known: Known) -> Iterator[Fault]:
    key = f"layout.{name}"
    if not is_name(name):
        yield Fault(key, f"{name!r} is no name", "use letters, digits and . _ : @ / -")
    if section.language and section.language not in LANGUAGES:
        yield Fault(f"{key}.language", f"no language {section.language!r}", f"use one of {', '.join(LANGUAGES)}")
    if not section.page:
        yield Fault(key, "has no page", f"add [[{key}.page]]")
    for number, page in enumerate(section.page):
        yield from _page_faults(f"{key}.page[{number}]", page, known)


def _page_faults(key: str, page: PageSection, known: Known) -> Iterator[Fault]:
    if page.screen:
        yield from _screen_faults(key, page)
        return
    if not page.panels:
        yield Fault(f"{key}.panels", "shows nothing", f"name some of {', '.join(PANELS)}")
    lists = {
        "panels": (page.panels, PANELS),
        "clients": (page.clients, known.clients),
        "queues": (page.queues, known.queues),
        "sites": (page.sites, known.sites),
        "teams": (page.teams, None),
    }
    for kind, (named, there) in lists.items():
        for each in dict.fromkeys(named or ()):
            if there is not None and each not in there:
                fix = f"use one of {', '.join(there) if kind == 'panels' else ', '.join(sorted(there)) or '(none yet)'}"
                yield Fault(f"{key}.{kind}", f"no {kind[:-1]} {each!r}", fix)
            if (named or ()).count(each) > 1:
                yield Fault(f"{key}.{kind}", f"{each!r} is there more than once", "name it once")


def _screen_faults(key: str, page: PageSection) -> Iterator[Fault]:
    """Of a page that is a screen of its own, which shows what it always shows."""
    if page.screen != MAP and not (page.screen.startswith(TEAM) and is_name(page.screen.removeprefix(TEAM))):
        yield Fault(f"{key}.screen", f"no screen {page.screen!r}", f'use "{MAP}", or "{TEAM}" and the id of a team')
    plain = PageSection(screen=page.screen)
    for name in page.__struct_fields__:
        if getattr(page, name) != getattr(plain, name):
            yield Fault(f"{key}.{name}", "has no effect beside screen", "leave it out, or leave out screen")
