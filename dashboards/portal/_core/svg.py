"""The marks that pictures of the portal are made of. Lengths are in units of the viewBox; a page scales the whole.

Layout: all numbers are sizes of drawings.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

Words = Mapping[str, str]
WIDTH: Final = 960
LEFT: Final = 56
RIGHT: Final = 16
TOP: Final = 26


class Paper(NamedTuple):
    """What a picture is drawn on, `wide` units from side to side: a page shows a phone the narrow one."""

    wide: int

    @property
    def right(self) -> int:
        """Where marks end."""
        return self.wide - RIGHT

    @property
    def plot(self) -> int:
        """How much there is between scale and right edge."""
        return self.right - LEFT

    @property
    def is_narrow(self) -> bool:
        """Whether words have to stand above their bars."""
        return self.wide < WIDTH


SCREEN: Final = Paper(WIDTH)
PHONE: Final = Paper(340)
LABEL: Final = 50
"""Room for a day or a time under a picture."""
Draw = Callable[[Any, Words, Any, Paper], str]
"""Draws what it is told of in the words of a language: where its marks lead, and on what."""


def on_every_screen(draw: Draw, shown: object, words: Words, ways: object) -> str:
    """A picture twice: whole on a screen, and whole on a phone, so that nobody scrolls sideways for a part of it."""
    papers = (("on-wide", SCREEN), ("on-narrow", PHONE))
    return "".join(f'<div class="{kind}">{draw(shown, words, ways, paper)}</div>' for kind, paper in papers)


def stride(step: int) -> int:
    """Of marks so far apart every so many can be labelled."""
    return -(-LABEL // max(1, step))


_HATCH: Final = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-back" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern>'
)
_DOTS: Final = (
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="dots-back" width="6" height="6"/><circle class="dots-dot" cx="3" cy="3" r="1.4"/></pattern>'
)
_GAP: Final = (
    '<pattern id="gap" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<rect class="gap-back" width="8" height="8"/><path class="gap-line" d="M0 0L8 8M8 0L0 8"/></pattern>'
)


PATTERNS: Final = f'<svg class="patterns" aria-hidden="true"><defs>{_HATCH}{_DOTS}{_GAP}</defs></svg>'
"""Tell marks apart without colour: hatch, dots, gap. Once on a page: those of a picture not shown draw nothing."""


def svg(height: int, title: str, marks: Iterable[str], *, right: int = WIDTH, kind: str = "") -> str:
    """A picture, `right` units wide."""
    body = "".join(marks)
    named = f'class="{kind}" ' if kind else ""
    box = f'viewBox="0 0 {right} {height}"'
    return f'<svg {named}{box} role="img" aria-label={quoteattr(title)}>{body}</svg>'


def rect(x: int, y: int, width: int, height: int, kind: str, said: str) -> str:
    """A bar or a cell. kind: its classes. said: what it tells."""
    box = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return f'<rect class="{kind}" {box}><title>{escape(said)}</title></rect>'


def circle(x: int, y: int, kind: str, said: str) -> str:
    """A point that tells something."""
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="5"><title>{escape(said)}</title></circle>'


def line(x1: int, y1: int, x2: int, y2: int, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def text(x: int, y: int, said: str, kind: str) -> str:
    """Words at a place."""
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(said)}</text>'


def link(address: str, said: str, mark: str) -> str:
    """A mark that leads somewhere. said: for whoever hears the page read."""
    return f"<a href={quoteattr(address)} aria-label={quoteattr(said)}>{mark}</a>"
