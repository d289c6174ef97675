"""Cells as people and spreadsheets leave them, made plain: full-width forms, padding, invisible marks, formulas."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_INVISIBLE: Final = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_QUOTED_FORMULA: Final = re.compile(r'="(?P<text>[^"]*)"')
"""How a spreadsheet keeps the zeros of ="00123"."""
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
REPLACEMENT: Final = "\ufffd"
"""Stands where bytes were no text in the file's encoding."""


def plain(cell: str) -> str:
    """`cell` with full-width digits and punctuation narrowed (NFKC), without padding, invisible marks and wrappers."""
    if not cell.isascii():
        cell = unicodedata.normalize("NFKC", cell).translate(_INVISIBLE)
    cell = cell.strip()
    if cell.startswith("="):
        formula = _QUOTED_FORMULA.fullmatch(cell)
        if formula is not None:
            return formula["text"].strip()
    return cell.removeprefix("'").lstrip() if cell.startswith("'") else cell


def without_thousands(text: str) -> str:
    """`1,234.5` as 1234.5; a comma elsewhere stays."""
    return _THOUSANDS.sub("", text)


def as_wide(cells: Sequence[str], width: int, read: int) -> Sequence[str] | None:
    """`cells` of a row under a header of `width` columns; a spreadsheet leaves empty ones at the end of a row out.

    read: how many, from the first, up to the last that the mapping names. None where one of these is missing, or one
    too many is filled.
    """
    if len(cells) < read or any(plain(cell) for cell in cells[width:]):
        return None
    return (*cells[:width], *[""] * (width - len(cells)))


def heading(cell: str) -> str:
    """A column's heading as it is compared: plain, one case, single spaces."""
    return " ".join(plain(cell).casefold().split())
