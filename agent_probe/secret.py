"""Files that hold a token or a password alone, as people and their tools write them."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path


def read_secret(file: str) -> str:
    """What the file holds, as UTF-8 or, as PowerShell's `>` writes it, UTF-16. Raises OSError, UnicodeDecodeError."""
    raw = Path(file).read_bytes()
    return raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig").strip()
