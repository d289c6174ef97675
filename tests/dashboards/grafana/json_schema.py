"""As much of JSON Schema (draft 7) as Grafana's published schemas use; a keyword it does not know fails the test."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
KNOWN: Final = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "description", "enum", "exclusiveMinimum"}
    | {"format", "items", "maximum", "minimum", "oneOf", "pattern", "properties", "required", "type", "$schema"}
    | {"definitions", "deprecated", "exclusiveMaximum", "minLength", "x-deprecation-message"}
)


def wrong(value: Any, schema: Schema, document: Schema, where: str = "") -> Iterator[str]:
    """What about `value` is not as `schema` says. document: what its references lead into."""
    yield from _combined(value, schema, document, where)
    if "type" in schema and not _is_anything(schema):
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, kind) for kind in kinds):
            yield f"{where}: {value!r} is no {' or '.join(kinds)}"
            return
    yield from _limits(value, schema, where)
    if isinstance(value, dict):
        yield from _object(value, schema, document, where)
    if isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            yield from wrong(item, schema["items"], document, f"{where}[{place}]")


def _combined(value: Any, schema: Schema, document: Schema, where: str) -> Iterator[str]:
    assert set(schema) <= KNOWN, f"keywords nobody checks: {set(schema) - KNOWN}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        yield from wrong(value, document["definitions"][name], document, where)
    for every in schema.get("allOf", ()):
        yield from wrong(value, every, document, where)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            fits = [not list(wrong(value, each, document)) for each in schema[keyword]]
            if not any(fits):
                yield f"{where}: {value!r} fits none of {len(fits)}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"


def _is_anything(schema: Schema) -> bool:
    """How Grafana's generator writes a value of any type."""
    return schema["type"] == "object" and schema.get("additionalProperties") == {} and "properties" not in schema


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _limits(value: Any, schema: Schema, where: str) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{where}: {value} is out of bounds"
        if value <= schema.get("exclusiveMinimum", value - 1) or value >= schema.get("exclusiveMaximum", value + 1):
            yield f"{where}: {value} is out of bounds"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield f"{where}: {value!r} is too short"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"


def _object(value: dict[str, Any], schema: Schema, document: Schema, where: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: {name} is missing"
    for name, inner in value.items():
        further = schema.get("additionalProperties", True)
        if name in known:
            yield from wrong(inner, known[name], document, f"{where}.{name}")
        elif further is False:
            yield f"{where}: nobody knows {name}"
        elif isinstance(further, dict):
            yield from wrong(inner, further, document, f"{where}.{name}")
