"""Reading TOML tables into typed sections: what is wrong with one key keeps no other from being read."""

from collections.abc import Callable
from typing import Final, TypeVar, get_args, get_origin

import msgspec

Wrong = Callable[[str, str], None]
"""Takes a key and what is wrong with it."""

UNREAD: Final = "(unread)"
"""Stands for a text that is needed and could not be read, so that the rest of its section can be looked at."""


S = TypeVar("S", bound=msgspec.Struct)
"""A section. Of the fields it cannot do without, each is text."""


def read_section(kind: type[S], table: object, where: str, wrong: Wrong) -> S:
    """`table` as a section, with the default (or UNREAD) for each key that `wrong` was told of. where: its key."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    given = table if isinstance(table, dict) else {}
    if given is not table:
        wrong(where, f"is no table but {table!r}")
    for key in given:
        if key not in fields:
            wrong(_key(where, key), "there is no such key")
    values: dict[str, object] = {}
    for name, field in fields.items():
        key = _key(where, name)
        try:
            if name in given:
                values[name] = _value(field.type, given[name], key, wrong)
            elif field.required and given is table:
                wrong(key, "is needed and not there")
        except msgspec.ValidationError as error:
            wrong(key, str(error))
        if field.required:
            values.setdefault(name, UNREAD)
    return kind(**values)


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
    return msgspec.convert(value, kind)


def _key(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
