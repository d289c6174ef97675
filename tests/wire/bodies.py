"""Any value of any body, made from the struct itself, so that a new kind is tested the day it is added."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from wire.body import Body

_NAME_CHARACTERS = "abcXYZ019._:@/~-"
_MSGPACK_INT = (-(2**63), 2**64 - 1)


@cache
def bodies(body_type: type[Body]) -> st.SearchStrategy[Body]:
    """Values of `body_type`, edges included."""
    info = inspect.type_info(body_type)
    assert isinstance(info, inspect.StructType)
    return st.builds(body_type, **{field.name: _values(field.type) for field in info.fields})


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.Metadata):
        return _values(kind.type)
    if isinstance(kind, inspect.IntType):
        low = _MSGPACK_INT[0] if kind.ge is None else kind.ge
        high = _MSGPACK_INT[1] if kind.le is None else kind.le
        return st.one_of(st.sampled_from([low, high]), st.integers(low, high))
    if isinstance(kind, inspect.StrType) and kind.pattern:
        first = st.sampled_from("abcXYZ019~")
        rest = st.text(_NAME_CHARACTERS, max_size=(kind.max_length or 1) - 1)
        return st.tuples(first, rest).map("".join)
    if isinstance(kind, inspect.StrType):
        return st.text(max_size=min(kind.max_length or 40, 40))
    if isinstance(kind, inspect.BytesType):
        return st.binary(min_size=kind.min_length or 0, max_size=min(kind.max_length or 64, 64))
    if isinstance(kind, inspect.ListType):
        return st.lists(_values(kind.item_type), max_size=4)
    if isinstance(kind, inspect.DictType):
        return st.dictionaries(_values(kind.key_type), _values(kind.value_type), max_size=4)
    if isinstance(kind, inspect.UnionType):
        return st.one_of([_values(each) for each in kind.types])
    if isinstance(kind, inspect.EnumType):
        return st.sampled_from(list(kind.cls))
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    assert isinstance(kind, inspect.NoneType), f"no values known for {kind}"
    return st.none()


def fields_without_defaults(body_type: type[Body]) -> int:
    """How many leading fields a sender must give."""
    return sum(field.required for field in msgspec.structs.fields(body_type))
