"""What a typed field takes, in words for whoever wrote something else into a file.

A field whose rule no words here fit says it itself: `Meta(description=...)`, which completes "write ...".
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final, get_args, get_origin

import msgspec
from msgspec import inspect

from wire.ids import NAME_PATTERN

_NAME: Final = "a name of letters, digits and . _ : @ / ~ - that begins with a letter or a digit"
_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"
_DAY_OF_YEAR: Final = r"^\d{2}-\d{2}$"
_PATTERNS: Final = {NAME_PATTERN: _NAME, _DAY: "a date, such as 2026-11-11", _DAY_OF_YEAR: "a day, such as 11-11"}

Shown = Callable[[int], str]
"""How a person writes a number of the field's own unit."""


def allowed(hint: object, shown: Shown = str) -> str:
    """What a value of the type `hint` may be. shown: for a field a person writes in another unit."""
    return _words(inspect.type_info(hint), shown)


def _words(kind: inspect.Type, shown: Shown) -> str:
    match kind:
        case inspect.Metadata(extra_json_schema={"description": str(said)}):
            return said
        case inspect.Metadata(type=inner):
            return _words(inner, shown)
        case inspect.UnionType(types=types):
            parts = [_words(each, shown) for each in types if not isinstance(each, inspect.NoneType)]
            nothing = ", or leave it out" if len(parts) < len(types) else ""
            return " or ".join(parts) + nothing
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            return _number(kind, shown)
        case inspect.StrType():
            return _text(kind)
        case inspect.EnumType(cls=cls):
            return f"one of: {', '.join(str(each.value) for each in cls)}"
        case inspect.LiteralType(values=values):
            return f"one of: {', '.join(map(str, values))}"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            least = " with at least one" if kind.min_length else ""
            return f"a list{least}, in brackets, each {_words(item, shown)}"
        case inspect.StructType(array_like=False) | inspect.DictType():
            return "a table"
    return "another value"


def _number(kind: inspect.IntType | inspect.FloatType, shown: Shown) -> str:
    name = "a number" if shown is not str or isinstance(kind, inspect.FloatType) else "a whole number"
    least, most = kind.ge, kind.le
    if isinstance(kind, inspect.IntType):
        least = kind.gt + 1 if kind.gt is not None else least
        most = kind.lt - 1 if kind.lt is not None else most
    if isinstance(kind, inspect.FloatType) and kind.gt is not None:
        return f"{name} above {shown(int(kind.gt))}" + ("" if most is None else f" and at most {shown(int(most))}")
    if least is not None and most is not None:
        return f"{name} from {shown(int(least))} to {shown(int(most))}"
    if least is not None:
        return f"{name} of at least {shown(int(least))}"
    return name if most is None else f"{name} of at most {shown(int(most))}"


def _text(kind: inspect.StrType) -> str:
    if kind.min_length == kind.max_length == 1:
        return "one character, in quotes"
    name = "text, in quotes" if kind.pattern is None else _PATTERNS.get(kind.pattern, "text of another form")
    return name if kind.max_length is None else f"{name}, at most {kind.max_length} characters"


def misfits(kind: type[msgspec.Struct], table: object, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Everything in which `table` does not fit `kind`: key by its full place, problem, and what to write instead."""
    if not isinstance(table, dict):
        yield where or "(file)", f"is no table but {table!r}", "write it as a table"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in table.keys() - fields.keys():
        close = get_close_matches(name, fields, n=1)
        fix = f"write {close[0]}" if close else f"leave it out; there are: {', '.join(fields)}"
        yield _at(where, name), "there is no such key", fix
    for name, field in fields.items():
        key = _at(where, name)
        if name in table:
            yield from _misfits_of(field.type, table[name], key)
        elif field.required:
            yield key, "is needed and not there", f"write {allowed(field.type)}"


def _misfits_of(hint: object, value: object, key: str) -> Iterator[tuple[str, str, str]]:
    inner = next((each for each in (hint, *get_args(hint), *_within(hint)) if _is_struct(each)), None)
    if isinstance(inner, type) and isinstance(value, dict) and get_origin(hint) is not list:
        yield from misfits(inner, value, key)
    elif isinstance(inner, type) and isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from misfits(inner, each, f"{key}[{place}]")
    else:
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError:
            yield key, f"{value!r} does not fit", f"write {allowed(hint)}"


def _within(hint: object) -> Iterator[object]:
    """The parts of `Annotated[list[...], ...]`."""
    for part in get_args(hint):
        yield from get_args(part)


def _is_struct(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
