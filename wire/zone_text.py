"""The offsets of a time zone as attributes of a link: a later time zone database never changes what the record says."""

from collections.abc import Mapping, Sequence
from typing import Final

from wire.limits import WORD_CHARS_MAX

TIME_ZONE: Final = "time_zone"
"""Attribute: the zone's name; the table of its offsets stands beside it."""
_TABLE_: Final = "offsets_"
_MS_PER_S: Final = 1_000
_MS_PER_MINUTE: Final = 60_000


def zone_attributes(name: str, changes: Sequence[tuple[int, int]]) -> dict[str, str]:
    """changes: (instant in ms, offset in s from then on), in order; both by the minute."""
    minutes = [(at // _MS_PER_MINUTE, offset_s * _MS_PER_S // _MS_PER_MINUTE) for at, offset_s in changes]
    words = [f"{at}{offset:+}" for at, offset in minutes]
    parts, part = [], ""
    for word in words:
        if len(part) + 1 + len(word) > WORD_CHARS_MAX:
            parts.append(part)
            part = ""
        part = f"{part} {word}".lstrip()
    return {TIME_ZONE: name} | {f"{_TABLE_}{number}": text for number, text in enumerate([*parts, part])}


def table_in(attributes: Mapping[str, str]) -> tuple[str, ...]:
    """The name of a zone and the texts of its table; nothing where the attributes name none."""
    if TIME_ZONE not in attributes:
        return ()
    parts = sum(name.startswith(_TABLE_) for name in attributes)
    return (attributes[TIME_ZONE], *(attributes.get(f"{_TABLE_}{number}", "") for number in range(parts)))


def changes_in(table: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(instant, offset) of each change, both in ms; none where it is no whole table."""
    found = []
    for word in " ".join(table[1:]).split():
        sign = "-" if "-" in word else "+"
        at, _, offset = word.partition(sign)
        if not (at.isascii() and at.isdecimal() and offset.isascii() and offset.isdecimal()):
            return ()
        found.append((int(at) * _MS_PER_MINUTE, int(sign + offset) * _MS_PER_MINUTE))
    instants = [at for at, _ in found]
    return tuple(found) if instants == sorted(set(instants)) else ()
