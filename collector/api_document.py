"""The HTTP door described: OpenAPI for machines, one page without scripts or foreign hosts for people.

Schemas come from the structs that decode, examples are posted by a test: the description cannot drift from the door.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib import resources
from typing import Any, Final

import msgspec

from collector.json_twins import KEY_OF_WORD, AckTwin, FrameTwin
from wire.limits import BODY_BYTES_MAX, FRAME_BYTES_MAX, WORD_CHARS_MAX

MARK: Final = "\N{CHECK MARK}"
_PLACE: Final = re.compile(r"\{\{([\w.]+)\}\}")
EPOCH: Final = "0af7651916cd43dd8448eb211c80319c"
# Format: instants and ids of examples.
EXAMPLES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "numbered": (
        "A sender that numbers its events: 1, 2, 3 ... within an epoch it drew at random",
        {
            "source": "shop-a",
            "epoch": EPOCH,
            "items": [
                {
                    "sequence": 1,
                    "kind": "offered",
                    "occurred_at": 1700000000000,
                    "conversation": "c-1001",
                    "queue": "shop-a-presales",
                },
                {"sequence": 2, "kind": "customer_turn", "occurred_at": 1700000000400, "conversation": "c-1001"},
                {
                    "sequence": 3,
                    "kind": "agent_turn",
                    "occurred_at": 1700000007900,
                    "conversation": "c-1001",
                    "account": "shop-a:07",
                },
            ],
        },
    ),
    "unnumbered": (
        "A sender that cannot number gives each event an id of its own; duplicates are suppressed",
        {
            "source": "shop-a",
            "items": [
                {
                    "event_id": "delivery-5f1c",
                    "kind": "closed",
                    "occurred_at": 1700000060000,
                    "conversation": "c-1001",
                    "by": "customer",
                }
            ],
        },
    ),
    "names_the_customer": (
        "A sender that tells of no offer says in the customer's messages whose they are, by a pseudonym",
        {
            "source": "shop-a",
            "items": [
                {
                    "event_id": "delivery-60aa",
                    "kind": "customer_turn.v2",
                    "occurred_at": 1700000070000,
                    "conversation": "c-1002",
                    "queue": "shop-a-presales",
                    "customer": "k7f3d1a52",
                    "customer_key": "2026-11",
                }
            ],
        },
    ),
    "declares_a_hole": (
        "A sender that had to drop events says so, and is acknowledged past them",
        {
            "source": "shop-a",
            "epoch": EPOCH,
            "gone": [{"first": 4, "last": 9, "drop_class": "presence", "count": 6}],
            "items": [
                {
                    "sequence": 10,
                    "kind": "presence",
                    "occurred_at": 1700000090000,
                    "account": "shop-a:07",
                    "presence": "on_break",
                    "pause_reason": "lunch",
                }
            ],
        },
    ),
}
"""name -> (what it shows, the body)."""

_ANSWERS: Final = {
    "200": (
        "Durable: forget what is up to `acknowledged_through`. `rejected` items are in quarantine, for their reason.",
        "ack",
    ),
    "401": ("No token, or one that is not registered.", "Problem"),
    "403": ("Token or certificate do not speak for that source, or no longer. Nothing was stored.", "Problem"),
    "408": ("The body took too long to arrive. Nothing was stored.", "Problem"),
    "409": (
        "An item contradicts what is stored under its number or id: `rejected` names it. All of it is durable.",
        "ack",
    ),
    "413": (f"More than {FRAME_BYTES_MAX} bytes. Nothing was stored.", "Problem"),
    "415": ("Neither JSON nor MessagePack, or compressed. Nothing was stored.", "Problem"),
    "422": (
        "No frame: `field` does not fit, and `problem` says why. Nothing was stored.",
        "Problem",
    ),
    "429": ("Too many requests from this credential. Nothing was stored; come back after Retry-After.", "Problem"),
    "503": ("Busy or stopping: come back after Retry-After. Sending again is always safe.", "Problem"),
}


_COME_BACK: Final = frozenset({"429", "503"})
_RETRY_AFTER: Final = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
_PACKED: Final = {"schema": {"type": "string", "contentMediaType": "application/msgpack"}}


@cache
def openapi(problem: type[msgspec.Struct]) -> dict[str, Any]:
    """The OpenAPI 3.1 document. problem: the struct of every refusal."""
    _, schemas = msgspec.json.schema_components(
        [FrameTwin, AckTwin, problem], ref_template="#/components/schemas/{name}"
    )
    schemas["unknown_kind"] = _unknown_kind(schemas)
    schemas["frame"]["properties"]["items"]["items"]["anyOf"].append({"$ref": "#/components/schemas/unknown_kind"})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Seatwatch: events in", "version": "1"},
        "paths": {"/v1/events": {"post": _post()}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS", "description": "of an enrolled probe, at the enrolment door"},
            },
        },
    }


def _unknown_kind(schemas: dict[str, Any]) -> dict[str, Any]:
    """Items of later or other builds: their envelope, and that nothing else is asked of them."""
    known = schemas["closed"]["properties"]
    return {
        "title": "unknown_kind",
        "type": "object",
        "description": f"A kind that this build does not know: kept whole in quarantine, up to {BODY_BYTES_MAX} bytes.",
        "properties": {
            "kind": {"type": "string", "maxLength": WORD_CHARS_MAX, "not": {"enum": sorted(KEY_OF_WORD)}},
            "sequence": known["sequence"],
            "event_id": known["event_id"],
        },
        "required": ["kind"],
    }


def docs_page(document: dict[str, Any], language: str, words: Mapping[str, str]) -> str:
    """`document` as one HTML page, which is in the words of `language`; what the document itself says is English."""
    schemas = document["components"]["schemas"]
    post = document["paths"]["/v1/events"]["post"]
    answers = "".join(
        f'<tr><td>{status}</td><td lang="en">{escape(answer["description"])}</td></tr>'
        for status, answer in post["responses"].items()
    )
    examples = "".join(
        # Layout: of JSON that is read by people.
        f'<h3 lang="en">{escape(summary)}</h3><pre>{escape(json.dumps(body, indent=2))}</pre>'
        for summary, body in EXAMPLES.values()
    )
    tables = "".join(_table(name, schema, words) for name, schema in schemas.items())
    page = resources.files("collector").joinpath("docs.html").read_text(encoding="utf-8")
    parts = {
        "language": escape(language),
        "description": escape(post["description"]),
        "answers": answers,
        "examples": examples,
        "tables": tables,
        **{f"words.{key}": escape(text) for key, text in words.items()},
    }
    return _PLACE.sub(lambda mark: parts[mark[1]], page)


def _post() -> dict[str, Any]:
    examples = {name: {"summary": summary, "value": body} for name, (summary, body) in EXAMPLES.items()}
    frame = {"schema": {"$ref": "#/components/schemas/frame"}, "examples": examples}
    return {
        "summary": "Hand in events",
        "description": "One frame of events of one source, answered when it is on disk. A repeat adds nothing.",
        "security": [{"token": []}, {"certificate": []}],
        "requestBody": {"required": True, "content": {"application/json": frame, "application/msgpack": _PACKED}},
        "responses": {status: _answer(status, *answer) for status, answer in _ANSWERS.items()},
    }


def _answer(status: str, description: str, schema: str) -> dict[str, Any]:
    said = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    answer = {"description": description, "content": {"application/json": said, "application/msgpack": _PACKED}}
    return answer | ({"headers": {"Retry-After": _RETRY_AFTER}} if status in _COME_BACK else {})


def _table(name: str, schema: dict[str, Any], words: Mapping[str, str]) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td>{escape(field)}</td><td>{escape(_kind(what))}</td><td>{MARK if field in required else ''}</td>"
        f'<td lang="en">{escape(what.get("description", ""))}</td></tr>'
        for field, what in schema.get("properties", {}).items()
    )
    if rows:
        heads = "".join(f"<th>{escape(words[key])}</th>" for key in ("api_field", "api_type", "api_required"))
        values = f"<table><tr>{heads}<th></th></tr>{rows}</table>"
    else:
        values = f"<p>{escape(_kind(schema))}</p>"
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{values}</section>'


def _kind(what: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in what:
        return str(what["$ref"]).rpartition("/")[2]
    if "enum" in what:
        return " | ".join(map(str, what["enum"]))
    if "anyOf" in what:
        return " | ".join(map(_kind, what["anyOf"]))
    if what.get("type") == "array":
        return f"{_kind(what.get('items', {}))}[]"
    return str(what.get("type", "any"))
