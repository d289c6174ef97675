"""Whether the hub can be a second witness of each line: asked over it once, as the probe itself asks."""

import asyncio
from collections.abc import Sequence
from typing import Final

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.doctor.findings import Because, Finding, Outcome, Subject, problem, skipped, well
from agent_probe.enrolment.identity import witness_door
from agent_probe.errors import ProbeUnavailable
from agent_probe.platform import Platform
from agent_probe.sensors.uplink.echo import Bound
from agent_probe.sensors.uplink.witness import WitnessDoor

MS_PER_S: Final = 1000


async def look_at_witness(
    config: ProbeConfig, settings: ProbeSettings, platform: Platform, lines: Sequence[Finding]
) -> list[Finding]:
    """One finding for each line. lines: what was found of them; one that is in trouble is not asked over."""
    if not config.line:
        return [skipped(Subject.WITNESS, "", Because.NOTHING_SET)]
    hub = witness_door(config, platform)
    if hub is None:
        because = Because.WITNESS_NO_DOOR if config.hub is None else Because.WITNESS_PROXY
        return [skipped(Subject.WITNESS, line.name, because) for line in config.line]
    door = WitnessDoor(hub, settings.http, config.source)
    sources = {
        each.about: each.values["source"] for each in lines if each.outcome is Outcome.OK and "source" in each.values
    }
    found: dict[str, Finding] = {}
    seen: dict[str, str] = {}
    for line in config.line:
        if line.name not in sources:
            found[line.name] = skipped(Subject.WITNESS, line.name)
            continue
        bound = Bound(line.interface, sources[line.name])
        try:
            async with asyncio.timeout(settings.uplink.connect_ms / MS_PER_S):
                egress = await door.ask(line.name, bound)
        except (ProbeUnavailable, TimeoutError) as error:
            words = {"door": door.about, "error": str(error) or "timeout"}
            found[line.name] = problem(Subject.WITNESS, line.name, Because.WITNESS_SILENT, **words)
            continue
        other = seen.setdefault(egress, line.name)
        is_shared = other != line.name
        shared = problem(Subject.WITNESS, line.name, Because.WITNESS_SHARED, other=other, egress=egress)
        found[line.name] = shared if is_shared else well(Subject.WITNESS, line.name, egress)
    return list(found.values())
