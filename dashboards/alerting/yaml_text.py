"""Tables and lists as YAML a person can read and change: texts in double quotes, every list item on its own line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Yaml: TypeAlias = "str | int | bool | Mapping[str, Yaml] | Sequence[Yaml]"


def yaml_text(value: Mapping[str, Yaml], *, heading: str) -> str:
    """A document of `value`. heading: the comment on its first line."""
    return "\n".join([f"# {heading}", *_lines(value)]) + "\n"


def _lines(value: Yaml) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            if _is_block(inner):
                yield f"{key}:"
                yield from (f"  {line}" for line in _lines(inner))
            else:
                yield f"{key}: {_scalar(inner)}"
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for inner in value:
            first, *rest = _lines(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _is_block(value: Yaml) -> bool:
    return not isinstance(value, str) and isinstance(value, Mapping | Sequence) and bool(value)


def _scalar(value: Yaml) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON scalar, {} and [] are YAML as they are
