"""Tables as CSV that a spreadsheet can open without running anything that came from outside."""

import csv
import io
import unicodedata
from collections.abc import Iterable
from typing import Final

Cell = int | str | None
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would run as a formula where a cell begins with it, in full width too."""


def csv_text(lines: Iterable[Iterable[Cell]]) -> str:
    """Lines of cells as CSV; None is an empty cell, and text that could be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(["" if cell is None else _safe(cell) for cell in line] for line in lines)
    return out.getvalue()


def _safe(cell: int | str) -> int | str:
    is_formula = isinstance(cell, str) and unicodedata.normalize("NFKC", cell[:1]).startswith(_FORMULA)
    return f"'{cell}" if is_formula else cell
