"""Which sensors there are, by name, and what builds each: explicit, so that reading this file is enough."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.sensors.base import Sensor
from agent_probe.sensors.seat.sensor import HeartbeatSensor, Load
from agent_probe.sensors.ups.sensor import UpsAddress, UpsSensor
from wire.facility import Role

Factory = Callable[[ProbeConfig, ProbeSettings, Callable[[], Load]], Sequence[Sensor]]


def _heartbeat(config: ProbeConfig, settings: ProbeSettings, load: Callable[[], Load]) -> Sequence[Sensor]:
    beat = settings.gateway_heartbeat if config.role is Role.GATEWAY else settings.seat_heartbeat
    return [
        HeartbeatSensor(
            beat,
            settings.heartbeat_rhythm,
            site=config.site,
            seat=config.seat,
            role=config.role,
            clock_domain=config.source,
            load=load,
        )
    ]


def _ups(config: ProbeConfig, settings: ProbeSettings, _: Callable[[], Load]) -> Sequence[Sensor]:
    return [
        UpsSensor(
            UpsAddress(ups.name, ups.host, ups.port, ups.ups or ups.name),
            settings.ups,
            site=config.site,
            clock_domain=config.source,
        )
        for ups in config.ups
    ]


SENSORS: Final[Mapping[str, Factory]] = {"seat": _heartbeat, "ups": _ups}


def build(config: ProbeConfig, settings: ProbeSettings, load: Callable[[], Load]) -> list[Sensor]:
    """Every sensor that `config` asks for. `load` tells the heartbeat what the outbox holds."""
    return [sensor for factory in SENSORS.values() for sensor in factory(config, settings, load)]
