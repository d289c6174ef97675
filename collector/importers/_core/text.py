"""Cells as people and spreadsheets leave them, made plain: full-width forms, padding, invisible marks, formulas."""

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_QUOTED_FORMULA: Final = re.compile(r'="(?P<text>[^"]*)"')
"""How a spreadsheet keeps the zeros of ="00123"."""
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


def heading(cell: str) -> str:
    """A column's heading as it is compared: plain, one case, single spaces."""
    return " ".join(plain(cell).casefold().split())
