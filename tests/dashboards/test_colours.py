"""The colours of states as people see them who lack one kind of cone: still apart, still readable.

Simulated with the matrices for full dichromacy of Machado, Oliveira and Fernandes, "A Physiologically-based Model for
Simulation of Color Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, applied to
linear RGB. Difference is the distance in CIE L*a*b* (1976), in which 2.3 can just be noticed; contrast is WCAG 2.1's.
"""

import re
from itertools import combinations

import pytest

from dashboards.portal.server import HERE
from dashboards.wallboard.server import STATIC

Colour = tuple[float, float, float]
Matrix = tuple[Colour, Colour, Colour]

SEEN_BY: dict[str, Matrix] = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopes": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
STATES = ("good", "ok", "warn", "bad", "none")
APART = 15.0
"""More than six times what can just be noticed: from across a floor a colour is a hint, shape and word say it."""
AA = 4.5
WHITE: Colour = (0.95047, 1.0, 1.08883)


def styles() -> str:
    return (STATIC / "board.css").read_text(encoding="utf-8")


def linear(text: str) -> Colour:
    parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def times(matrix: Matrix, colour: Colour) -> Colour:
    red, green, blue = (sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix)
    return red, green, blue


def seen(text: str, by: str) -> Colour:
    red, green, blue = (min(1.0, max(0.0, part)) for part in times(SEEN_BY[by], linear(text)))
    return red, green, blue


def luminance(colour: Colour) -> float:
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), colour, strict=True))


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: Colour) -> Colour:
    to_xyz: Matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [part / white for part, white in zip(times(to_xyz, colour), WHITE, strict=True)]
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def variable(name: str) -> str:
    (found,) = re.findall(rf"^  --{name}: (#[0-9a-f]{{6}});$", styles().partition("}")[0], re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("people", SEEN_BY)
def test_colours_of_states_are_apart_for(people: str) -> None:
    shades = {state: lab(seen(variable(state), people)) for state in STATES}
    near = {
        (one, other): round(distance, 1)
        for one, other in combinations(STATES, 2)
        if (distance := sum((a - b) ** 2 for a, b in zip(shades[one], shades[other], strict=True)) ** 0.5) < APART
    }
    assert near == {}


@pytest.mark.parametrize("people", SEEN_BY)
def test_every_state_can_be_read_on_every_ground_it_stands_on_by(people: str) -> None:
    rows = dict(
        zip(("bad", "warn"), re.findall(r'data-rank="[01]"\] \{[^}]*background: (#[0-9a-f]{6})', styles()), strict=True)
    )
    grounds = {"ground": variable("ground"), "panel": variable("panel")}
    faint = {}
    for state in STATES:
        for name, ground in {**grounds, **({state: rows[state]} if state in rows else {})}.items():
            found = contrast(seen(variable(state), people), seen(ground, people))
            if found < AA:
                faint[state, name] = round(found, 2)
    assert faint == {}


def test_the_simulation_does_what_the_paper_says_of_grey_and_of_red() -> None:
    for people in SEEN_BY:
        assert max(abs(a - b) for a, b in zip(seen("#808080", people), linear("#808080"), strict=True)) < 0.002
    assert luminance(seen("#ff0000", "protanopes")) < luminance(linear("#ff0000")) * 0.55, "red is dark to them"


@pytest.mark.parametrize("theme", [0, 1], ids=["by day", "by night"])
def test_the_numbers_in_the_darkest_cells_of_the_portals_week_are_readable(theme: int) -> None:
    style = (HERE / "static" / "portal.css").read_text(encoding="utf-8")
    for shade in (4, 5):
        cell, number = (re.findall(rf"--{name}-{shade}: (#[0-9a-f]{{6}});", style)[theme] for name in ("shade", "on"))
        assert contrast(linear(cell), linear(number)) >= AA, (shade, cell, number)
