"""As much of Markdown as our own pages use, as HTML: headings, paragraphs, numbered lists, tables, code, links."""

import re
from collections.abc import Callable, Iterator
from html import escape
from itertools import groupby
from typing import Final

_HEADING: Final = re.compile(r"(#{1,6}) (.+)")
_NUMBERED: Final = re.compile(r"\d+\. (.+)")
_RULE: Final = re.compile(r"\|[-|: ]+\|")
_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)|\*\*(?P<bold>[^*]+)\*\*|\*(?P<em>[^*]+)\*"
)

Leads = Callable[[str], str]
"""The target of a link -> where it leads, "" = nowhere from here."""


def title(text: str) -> str:
    """The page's first heading, "" without one."""
    found = _HEADING.match(text)
    return found[2] if found else ""


def first_steps(text: str) -> list[str]:
    """The first step below each heading that has steps, as plain text of one line: "Look: ..."."""
    heading, steps = "", []
    for line in text.splitlines():
        if found := _HEADING.fullmatch(line):
            heading = found[2]
        elif heading and (found := _NUMBERED.fullmatch(line)):
            steps.append(f"{heading}: {_INLINE.sub(_plain, found[1])}")
            heading = ""
    return steps


def html(text: str, leads: Leads) -> str:
    """A page's body. Everything else in it is text, whatever it looks like."""
    lines = text.splitlines()
    blocks = [list(block) for is_blank, block in groupby(lines, lambda line: not line.strip()) if not is_blank]
    return "\n".join(part for block in blocks for part in _block(block, leads))


def _block(lines: list[str], leads: Leads) -> Iterator[str]:
    if heading := _HEADING.fullmatch(lines[0]):
        level = len(heading[1])
        yield f"<h{level}>{_inline(heading[2], leads)}</h{level}>"
        if rest := lines[1:]:
            yield from _block(rest, leads)
    elif _NUMBERED.match(lines[0]):
        yield f"<ol>{''.join(f'<li>{_inline(item, leads)}</li>' for item in _items(lines))}</ol>"
    elif lines[0].startswith("|"):
        yield f"<table>{''.join(_rows(lines, leads))}</table>"
    else:
        yield f"<p>{_inline(' '.join(lines), leads)}</p>"


def _items(lines: list[str]) -> list[str]:
    """The items of a list; a line without a number goes on where the one before ended."""
    items: list[str] = []
    for line in lines:
        found = _NUMBERED.fullmatch(line)
        if found:
            items.append(found[1])
        else:
            items[-1] += f" {line.strip()}"
    return items


def _rows(lines: list[str], leads: Leads) -> Iterator[str]:
    for number, line in enumerate(lines):
        if _RULE.fullmatch(line):
            continue
        kind = "th" if number == 0 else "td"
        cells = (cell.strip() for cell in line.strip().strip("|").split("|"))
        yield f"<tr>{''.join(f'<{kind}>{_inline(cell, leads)}</{kind}>' for cell in cells)}</tr>"


def _inline(text: str, leads: Leads) -> str:
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _marked(found, leads)]
        at = found.end()
    return "".join([*parts, escape(text[at:])])


def _plain(found: re.Match[str]) -> str:
    return str(found["code"] or found["text"] or found["bold"] or found["em"])


def _marked(found: re.Match[str], leads: Leads) -> str:
    if found["code"]:
        return f"<code>{escape(found['code'])}</code>"
    if found["bold"]:
        return f"<strong>{_inline(found['bold'], leads)}</strong>"
    if found["em"]:
        return f"<em>{_inline(found['em'], leads)}</em>"
    address = leads(found["target"])
    text = _inline(found["text"], leads)
    return f'<a href="{escape(address)}">{text}</a>' if address else text
