"""Integer zone tables for the engine's core, where no definition carries one."""

from functools import cache

from sla_engine._core.windows import SECOND_MS, ZoneTable
from sla_engine.definition_files import zone_offsets


@cache
def zone_table(name: str) -> ZoneTable:
    """The offsets of the IANA zone `name`, by this machine's time zone database. Raises DefinitionError."""
    offsets = zone_offsets(name)
    return ZoneTable(name, tuple(at for at, _ in offsets), tuple(offset_s * SECOND_MS for _, offset_s in offsets))
