"""Roster files: rows of ids with dates, read, checked and turned into links (see docs/operate/roster.md).

* RosterError: the file cannot be used at all. Anything else is a Problem with its row.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from ipaddress import ip_network
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from collector._core.personal import is_telephone_number
from collector._core.roster import CLIENT, HOST, SHOP, Link, Problem, Stated, minutes_of
from collector.importers._core.text import heading, plain
from collector.importers._core.times import Moment, Offsets, TimeReader, instants
from collector.importers.reading import zone_offsets
from collector.importers.tables import TableLimits, every_sheet
from wire.ids import OPERATOR, is_derived, is_name
from wire.limits import INSTANT_MAX_MS, NAME_CHARS_MAX, WORD_CHARS_MAX
from wire.organisation import Relation
from wire.zone_text import TIME_ZONE, zone_attributes
from wire.zones import changes_of, zone_named

_DAY_MS: Final = 86_400_000
_OPEN_END_MS: Final = (date(9000, 1, 1) - date(1970, 1, 1)).days * _DAY_MS
"""An end from there on, as 9999-12-31, is how personnel systems write that there is none."""
_ID_FIELDS: Final = ("client", "shop", "queue", "account", "person", "team", "seat", "site", "line")
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")  # RFC 1123, and what Windows takes besides
_ROUNDED: Final = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
"""What a spreadsheet makes of a long number in a cell that is not text."""
_WHOLE: Final = re.compile(r"\d{1,6}")
"""A number of seats or conversations; what is longer was meant for another column."""
_TIMES: Final = {Relation.SHIFT_OF_PERSON: "shift", Relation.HOURS_OF_SITE: "service_hours"}
"""Columns that say from when until when by the clock."""
_TIMES_CHARS: Final = len("08:00-16:00")
# Bound: of what one office may have.
PREFIX_MIN: Final = {4: 8, 6: 16}
"""By version of IP, the shortest prefix of a line's addresses: nobody has more of them, and 0.0.0.0/0 is everybody."""
_PAIRS: Final = (
    (Relation.SHOP_OF_CLIENT, "shop", "client"),
    (Relation.QUEUE_OF_SHOP, "queue", "shop"),
    (Relation.PERSON_OF_ACCOUNT, "account", "person"),
    (Relation.TEAM_OF_PERSON, "person", "team"),
    (Relation.SEAT_OF_PERSON, "person", "seat"),
    (Relation.SITE_OF_SEAT, "seat", "site"),
    (Relation.MODE_OF_SEAT, "seat", "seat_mode"),
    (Relation.CONTRACTED_SEATS_OF_SHOP, "shop", "contracted_seats"),
    (Relation.CONTRACTED_SEATS, "client", "contracted_seats"),
    (Relation.SHIFT_OF_PERSON, "person", "shift"),
    (Relation.SITE_OF_LINE, "line", "site"),
    (Relation.HOURS_OF_SITE, "site", "service_hours"),
)
"""Relation, columns of subject and target: a row states each pair it fills, seats beside a shop for it alone."""

LIMIT: Final = "limit"
"""Column, and attribute of a sub-account's or a seat's link: conversations at once that are meant for it."""
CARRIER_LINE_ID: Final = "carrier_line_id"
"""Column and attribute: what the carrier knows a line by, its circuit number or broadband account."""
_EXTRAS: Final = {
    Relation.PERSON_OF_ACCOUNT: (LIMIT,),
    Relation.MODE_OF_SEAT: (LIMIT,),
    Relation.SITE_OF_SEAT: ("circuit", "column", HOST, "row", "switch"),
    Relation.SITE_OF_LINE: ("carrier", CARRIER_LINE_ID, "egress"),
    Relation.HOURS_OF_SITE: (TIME_ZONE,),
}
"""Columns that say more about a link, kept as its attributes."""


class RosterError(ValueError):
    """The file as a whole cannot be taken; the message says what to change."""


class Roster(NamedTuple):
    """What a file states, and what is wrong with single rows of it."""

    stated: list[Stated]
    problems: list[Problem]
    rows: int


def read_roster(path: Path, zone: ZoneInfo, limits: TableLimits, known: Sequence[Link] = ()) -> Roster:
    """The links stated in all sheets of `path`; dates begin in `zone`. known: the ledger's, for shops not in the file.

    limits: how large it may be. RosterError, TableError, OSError.
    """
    reader = _Reader(zone)
    for sheet, rows in every_sheet(path, limits):
        reader.read_sheet(sheet, rows)
    if not reader.rows and not reader.problems:
        raise RosterError(f"{path}: no rows; its columns are explained in docs/operate/roster.md")
    return Roster(reader.with_clients(known), reader.problems, reader.rows)


class _Words(msgspec.Struct, frozen=True):
    headings: dict[str, list[str]]
    personal: dict[str, list[str]]
    seat_modes: dict[str, list[str]]
    dates: dict[str, list[str]]


@cache
def _words() -> _Words:
    text = resources.files("collector").joinpath("roster_words.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Words)


def _known_headings(beside: Sequence[str]) -> str:
    """One heading for each field, in the language of those that are not known."""
    is_chinese = not "".join(beside).isascii()
    spellings = _words().headings.values()
    own = (next((each for each in found if not each.isascii()), found[0]) for found in spellings)
    return ", ".join(own if is_chinese else _words().headings)


class _BadRow(Exception):
    """A row that states nothing that can be taken."""


class _Reader:
    """Collects what all sheets of a file state."""

    def __init__(self, zone: ZoneInfo) -> None:
        words = _words()
        self._fields = {heading(word): field for field, there in words.headings.items() for word in there}
        self._personal = {heading(word) for word in words.personal["headings"]}
        self._modes = {word: mode for mode, there in words.seat_modes.items() for word in there}
        self._times = TimeReader([*words.dates["times"], *words.dates["formats"]], words.dates["formats"])
        self._offsets: Offsets = zone_offsets(zone)
        self._stated: list[tuple[Stated, Mapping[str, str]]] = []
        self.problems: list[Problem] = []
        self.rows = 0

    def read_sheet(self, sheet: str, rows: Iterator[tuple[int, list[str]]]) -> None:
        """One sheet: its first row that is not empty names the columns."""
        _, header = next(rows, (0, []))
        columns = self._columns(sheet, header)
        for number, cells in rows:
            self.rows += 1
            filled = {field: plain(cells[place]) for field, place in columns.items() if place < len(cells)}
            try:
                _check_places(cells, columns.values())
                self._read_row(sheet, number, {field: text for field, text in filled.items() if text})
            except _BadRow as bad:
                self.problems.append(Problem(sheet, number, str(bad)))

    def with_clients(self, known: Sequence[Link]) -> list[Stated]:
        """Everything stated; each sub-account's link says for which client and, where known, which shop, by its row."""
        links = [*known, *(each.link for each, _ in self._stated)]
        client_of = {link.subject: link.target for link in links if link.relation is Relation.SHOP_OF_CLIENT}
        shop_of = {link.subject: link.target for link in links if link.relation is Relation.QUEUE_OF_SHOP}
        found = []
        for each, row in self._stated:
            link = each.link
            if link.relation is Relation.PERSON_OF_ACCOUNT:
                shop = row.get("shop") or shop_of.get(row.get("queue", ""), "")
                client = row.get("client") or client_of.get(shop, "")
                # another client's shop is not this one's to know
                own = shop if client and client_of.get(shop) == client else ""
                told = [(name, value) for name, value in ((CLIENT, client), (SHOP, own)) if value]
                link = link._replace(attributes=tuple(sorted((*told, *link.attributes))))
            found.append(each._replace(link=link))
        return found

    def _columns(self, sheet: str, header: Sequence[str]) -> dict[str, int]:
        columns: dict[str, int] = {}
        where = f"sheet {sheet!r}: " if sheet else ""
        unknown: list[str] = []
        for place, cell in enumerate(header):
            name = heading(cell)
            if name in self._personal:
                raise RosterError(f"{where}column {plain(cell)!r} looks personal; remove it, only codes are taken")
            field = self._fields.get(name)
            if name and field is None:
                unknown.append(plain(cell))
            if field is not None and field in columns:
                raise RosterError(f"{where}two columns say {field}; keep one")
            if field is not None:
                columns[field] = place
        if unknown:
            named = ", ".join(map(repr, unknown))
            raise RosterError(f"{where}unknown column {named}; known are {_known_headings(unknown)}")
        if header and "effective_from" not in columns:
            raise RosterError(f"{where}no column effective_from; a link must say from when it holds")
        return columns

    def _read_row(self, sheet: str, number: int, row: dict[str, str]) -> None:
        self._read_cells(row)
        effective_from, effective_until = self._from(row), self._until(row)
        if effective_until is not None and effective_until <= effective_from:
            raise _BadRow("effective_until is not after effective_from")
        pairs = [pair for pair in _PAIRS if pair[1] in row and pair[2] in row]
        if "shop" in row:
            pairs = [pair for pair in pairs if pair[0] is not Relation.CONTRACTED_SEATS]
        links = [
            Link(relation, row[subject], row[target], effective_from, effective_until, _attributes(relation, row))
            for relation, subject, target in pairs
        ]
        linked = {field for pair in pairs for field in pair[1:]}
        alone = set(row) - linked - {"effective_from", "effective_until", "client", "shop", "queue"}
        alone -= {field for link in links for field in _EXTRAS.get(link.relation, ())}
        if not links or alone:
            lone = ", ".join(sorted(alone)) or "nothing but dates"
            raise _BadRow(f"{lone}: nothing in this row to link it to; docs/operate/roster.md lists the pairs")
        self._stated.extend((Stated(link, sheet, number), row) for link in links)

    def _read_cells(self, row: dict[str, str]) -> None:
        """Bring each cell into the form that a link has; what no link can carry is a bad row."""
        for field in _ID_FIELDS:
            _check_id(field, row.get(field))
        if "seat_mode" in row:
            row["seat_mode"] = self._mode(row["seat_mode"])
        if "contracted_seats" in row and not _WHOLE.fullmatch(row["contracted_seats"]):
            raise _BadRow("contracted_seats: write a whole number of at most 6 digits")
        if LIMIT in row and not (_WHOLE.fullmatch(row[LIMIT]) and int(row[LIMIT])):
            raise _BadRow("limit: write how many conversations at once, a whole number from 1 on, of at most 6 digits")
        if HOST in row and not _HOST_NAME.fullmatch(row[HOST]):
            raise _BadRow("host: a machine's name without its domain, letters, digits, - and _ only")
        for field in _TIMES.values():
            if field in row:
                row[field] = _from_until(field, row[field])
        if TIME_ZONE in row:
            _check_zone(row[TIME_ZONE])
        if _ROUNDED.fullmatch(row.get(CARRIER_LINE_ID, "")):
            raise _BadRow(
                f"{CARRIER_LINE_ID}: digits are lost; make the column text in the spreadsheet and type it again"
            )
        if "egress" in row:
            row["egress"] = _networks(row["egress"])
        if "line" in row and "site" in row:
            row["line"] = f"{row['site']}/{row['line']}"
        _check_lengths(row)

    def _mode(self, text: str) -> str:
        mode = self._modes.get(text.casefold())
        if mode is None:
            raise _BadRow("seat_mode: write dedicated or shared")
        return mode

    def _from(self, row: Mapping[str, str]) -> int:
        text = row.get("effective_from")
        if text is None:
            raise _BadRow("effective_from is empty")
        return self._instant("effective_from", text)

    def _until(self, row: Mapping[str, str]) -> int | None:
        """The instant after the last one, None = open-ended; a date is the last day that still counts."""
        text = row.get("effective_until")
        if text is None:
            return None
        day = self._times.read_date(text) if self._is_date(text) else None
        if day is not None:
            until = Moment(day + 1, 0)
            return None if until.local() >= _OPEN_END_MS else self._at("effective_until", until)
        ends_at = self._times.read(text)
        if ends_at is not None and ends_at.local() >= _OPEN_END_MS:
            return None
        return self._instant("effective_until", text)

    def _is_date(self, text: str) -> bool:
        """Whether a cell says a day and no hour; a workbook writes its dates with a midnight."""
        moment = self._times.read(text)
        return moment is None or (moment.day is not None and moment.ms == 0)

    def _instant(self, field: str, text: str) -> int:
        moment = self._times.read(text)
        if moment is None or (moment.day is None and moment.instant is None):
            day = self._times.read_date(text)
            if day is None:
                raise _BadRow(f"{field}: no date; write it as 2026-11-30")
            moment = Moment(day, 0)
        return self._at(field, moment)

    def _at(self, field: str, moment: Moment) -> int:
        found = instants(moment, self._offsets)
        if not found:
            raise _BadRow(f"{field}: that moment does not exist in the contract's time zone")
        if not 0 <= found[0] <= INSTANT_MAX_MS:
            raise _BadRow(f"{field}: write a date from 1970 to 9999")
        return found[0]


def _attributes(relation: Relation, row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if relation in _TIMES:
        starts, _, ends = row[_TIMES[relation]].partition("-")
        has_zone = relation is Relation.HOURS_OF_SITE and TIME_ZONE in row
        zone = zone_attributes(row[TIME_ZONE], changes_of(zone_named(row[TIME_ZONE]))) if has_zone else {}
        return tuple(sorted({"ends": ends, "starts": starts, **zone}.items()))
    return tuple((field, row[field]) for field in _EXTRAS.get(relation, ()) if field in row)


def _check_places(cells: Sequence[str], places: Collection[int]) -> None:
    """Nothing may stand where no heading does: two networks with a comma between would be one, and the rest lost."""
    lost = next((text for place, cell in enumerate(cells) if place not in places and (text := plain(cell))), "")
    if lost:
        raise _BadRow(f"{lost!r} stands under no heading; remove it, or put a cell that holds a comma in quotes")


def _check_id(field: str, text: str | None) -> None:
    if text is None:
        return
    if not is_name(text) or is_derived(text):
        raise _BadRow(f"{field}: not a code; use letters, digits and . _ : @ / - (a person's name is never taken)")
    if field in {"person", "account", "team", "shop"} and is_telephone_number(text):
        raise _BadRow(f"{field}: looks like a telephone number; use a code")
    if field == "client" and text == OPERATOR:
        raise _BadRow(f"client: {OPERATOR} is the operator's own ledger")


def _from_until(field: str, text: str) -> str:
    """`HH:MM-HH:MM`, both with two digits."""
    parts = [part.strip().zfill(5) for part in text.replace("~", "-").split("-")]
    times = "-".join(parts)
    if len(times) > _TIMES_CHARS or minutes_of(times) is None:
        raise _BadRow(f"{field}: write it as 08:00-16:00 or 22:00-06:00")
    return times


def _check_zone(name: str) -> None:
    try:
        zone_named(name)
    except ZoneInfoNotFoundError:
        raise _BadRow("time_zone: no such zone; write an IANA name such as Asia/Tokyo") from None


def _networks(text: str) -> str:
    """Public addresses of a line, as networks apart by spaces."""
    try:
        networks = [ip_network(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise _BadRow("egress: write addresses or networks, as 203.0.113.0/29") from None
    for network in networks:
        shortest = PREFIX_MIN[network.version]
        if network.prefixlen < shortest:
            raise _BadRow(
                f"egress: {network} is too wide to be one line's, every address in it would be this line; "
                f"from /{shortest} on it can be taken"
            )
    said = " ".join(map(str, networks))
    if len(said) > WORD_CHARS_MAX:
        raise _BadRow(
            f"egress: {len(networks)} networks take {len(said)} characters, "
            f"at most {WORD_CHARS_MAX} fit; write wider ones"
        )
    return said


def _check_lengths(row: Mapping[str, str]) -> None:
    if len(row.get("line", "")) > NAME_CHARS_MAX:
        raise _BadRow(f"line: at most {NAME_CHARS_MAX - 1} characters together with its site")
    for name in ("row", "column", "switch", "circuit", "carrier", CARRIER_LINE_ID):
        if len(row.get(name, "")) > NAME_CHARS_MAX:
            raise _BadRow(f"{name}: at most {NAME_CHARS_MAX} characters")
