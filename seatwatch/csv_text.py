"""Tables as CSV that a spreadsheet can open without running anything that came from outside."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

Cell = int | str | None
_FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet would run as a formula where a cell begins with it, in full width too."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_parts: Final = re.compile(r"([;\t\r\n])").split
"""Where a spreadsheet of another country, or by another import, begins a cell though we do not."""


def csv_text(lines: Iterable[Iterable[Cell]]) -> str:
    """Lines of cells as CSV; None is an empty cell, and what could be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(["" if cell is None else _safe(cell) for cell in line] for line in lines)
    return out.getvalue()


def _safe(cell: int | str) -> int | str:
    if not isinstance(cell, str):
        return cell
    told = "".join(f"'{part}" if _is_formula(part) else part for part in _parts(cell))
    return f"'{told}" if told.startswith(("\t", "\r", "\n")) else told


def _is_formula(text: str) -> bool:
    """Whether the first character that is seen begins one."""
    seen = next((char for char in text if unicodedata.category(char) not in _INVISIBLE), "")
    return unicodedata.normalize("NFKC", seen).startswith(_FORMULA)
