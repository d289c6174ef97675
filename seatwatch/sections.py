"""Reading TOML tables into typed sections: what is wrong with one key keeps no other from being read."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from types import NoneType
from typing import Annotated, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

from wire.allowed import allowed

Wrong = Callable[[str, str, str], None]
"""Takes a key by its full place, what is wrong with it, and what to write instead."""

_PLACE: Final = re.compile(r"\[\d+\]")
UNREAD: Final = "(unread)"
"""Stands for a text that is needed and could not be read, so that the rest of its section can be looked at."""


# Layout: about a line of a terminal
_QUOTED_CHARS_MAX: Final = 80
"""Of a value that does not fit: enough to find it by, not all of a key that was pasted in place of its file."""
# Format: NAME_MAX of Linux and of other systems
_FILE_NAME_CHARS_MAX: Final = 255
FileName = Annotated[
    str,
    Meta(
        max_length=_FILE_NAME_CHARS_MAX, pattern=r"^[^\x00-\x1f]*$(?!\n)", description="the name of a file, in quotes"
    ),
]

S = TypeVar("S", bound=msgspec.Struct)
"""A section. Of the fields it cannot do without, each is text."""


def read_section(kind: type[S], table: object, where: str, wrong: Wrong) -> S:
    """`table` as a section, with the default (or UNREAD) for each key that `wrong` was told of. where: its key."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    given = table if isinstance(table, dict) else {}
    if given is not table:
        wrong(where, f"is no table but {table!r}", f"write {_header(where)}, and below it what it says")
    for key, value in given.items():
        if key not in fields:
            close = get_close_matches(key, fields, n=1)
            fix = f"write {close[0]}" if close else f"leave it out; there are: {', '.join(fields)}"
            wrong(_key(where, key), f"there is no such key (it says {value!r})", fix)
    values: dict[str, object] = {}
    for name, field in fields.items():
        key = _key(where, name)
        try:
            if name in given:
                values[name] = _value(field.type, given[name], key, wrong)
            elif field.required and given is table:
                wrong(key, "is needed and not there", f"write {allowed(field.type)}")
        except msgspec.ValidationError:
            wrong(key, f"{_quoted(given[name])} does not fit", f"write {allowed(field.type)}")
        if field.required:
            values.setdefault(name, UNREAD)
    return kind(**values)


def _quoted(value: object) -> str:
    quoted = repr(value)
    return quoted if len(quoted) <= _QUOTED_CHARS_MAX else f"{quoted[:_QUOTED_CHARS_MAX]}..."


def _value(kind: object, value: object, key: str, wrong: Wrong) -> object:
    """Raises msgspec.ValidationError."""
    for section in (kind, *get_args(kind)):
        if isinstance(section, type) and issubclass(section, msgspec.Struct):
            if get_origin(kind) is dict:
                named = msgspec.convert(value, dict[str, object])
                return {name: read_section(section, table, _key(key, name), wrong) for name, table in named.items()}
            if get_origin(kind) is not list:
                return read_section(section, value, key, wrong)
            tables = msgspec.convert(value, list[object])
            return [read_section(section, table, f"{key}[{number}]", wrong) for number, table in enumerate(tables)]
    if value == "" and NoneType in get_args(kind):
        wrong(key, "is empty", f"write {allowed(kind)}")
        return None
    return msgspec.convert(value, kind)


def _header(where: str) -> str:
    """How a table begins in a file: [server], and [[client.queue]] for one of several."""
    plain = _PLACE.sub("", where)
    return f"[[{plain}]]" if where.endswith("]") else f"[{plain}]"


def _key(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
