"""The shape of what is kept for the next start: a struct that grows is another version, or an older file is misread."""

import hashlib

import msgspec


def shape_of(*kinds: object) -> str:
    """Some digits that every field, nested ones too, with its type and default goes into; docstrings do not."""
    _, schemas = msgspec.json.schema_components(kinds)
    schema = _without_words(schemas)
    return hashlib.sha256(msgspec.json.encode(schema, order="deterministic")).hexdigest()[:12]


def _without_words(schema: object) -> object:
    match schema:
        case dict():
            return {name: _without_words(each) for name, each in schema.items() if name != "description"}
        case list():
            return [_without_words(each) for each in schema]
    return schema
