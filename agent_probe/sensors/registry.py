"""Which sensors there are, by name, and what builds each: explicit, so that reading this file is enough."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.notes import Notes
from agent_probe.platform import current
from agent_probe.sensors.base import Sensor
from agent_probe.sensors.config import SIP_PORTS, UPS_PORTS, RegisterConfig, UpsConfig
from agent_probe.sensors.phone_line.connection import TrunkAddress
from agent_probe.sensors.phone_line.sensor import Account, PhoneLineSensor
from agent_probe.sensors.seat.echo import GatewayEcho
from agent_probe.sensors.seat.machine import MachineSensor
from agent_probe.sensors.seat.network import NetworkAddress, SeatSensor
from agent_probe.sensors.seat.platform import PlatformSensor, PlatformTarget
from agent_probe.sensors.seat.programs import Programs
from agent_probe.sensors.seat.sensor import HeartbeatSensor, Load
from agent_probe.sensors.ups.battery import BatterySource
from agent_probe.sensors.ups.sensor import UpsSensor, UpsSettings
from agent_probe.sensors.ups.sources import NutSource, UpsAddress, UpsSource
from agent_probe.sensors.ups.ups_mib import SnmpSource
from agent_probe.snmp import SnmpAddress
from wire.facility import Role

Factory = Callable[[ProbeConfig, ProbeSettings, Callable[[], Load]], Sequence[Sensor]]


def _seat(config: ProbeConfig, settings: ProbeSettings, load: Callable[[], Load]) -> Sequence[Sensor]:
    return [*_heartbeat(config, settings, load), *_network(config, settings), *_platforms(config, settings)]


def _network(config: ProbeConfig, settings: ProbeSettings) -> Sequence[Sensor]:
    """A seat looks at its own way out. A gateway's lines are watched one by one instead."""
    network = config.network
    if config.role is Role.GATEWAY or not network.measured:
        return []
    return [
        SeatSensor(
            NetworkAddress(network.interface, network.gateway, network.time_server, network.time_port),
            settings.seat,
            GatewayEcho(),
            find_gateway=current().default_gateway,
            site=config.site,
            seat=config.seat,
            clock_domain=config.source,
        )
    ]


def _platforms(config: ProbeConfig, settings: ProbeSettings) -> Sequence[Sensor]:
    programs = Programs(current().program_names, max_age_ms=settings.programs_ms)
    return [
        PlatformSensor(
            PlatformTarget(each.name, each.programs, each.host, each.port, each.tls, each.ca_file),
            programs,
            settings.platform,
            site=config.site,
            seat=config.seat,
            clock_domain=config.source,
        )
        for each in config.platform
    ]


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
        UpsSensor(ups.name, _source(ups, settings.ups), settings.ups, site=config.site, clock_domain=config.source)
        for ups in config.ups
    ]


def _source(ups: UpsConfig, settings: UpsSettings) -> UpsSource:
    port = ups.port or UPS_PORTS[ups.via]
    if ups.via == "snmp":
        return SnmpSource(SnmpAddress(ups.host, port, ups.community), resend_ms=settings.resend_ms)
    if ups.via == "battery":
        return BatterySource(low_ratio=settings.low_ratio)
    return NutSource(UpsAddress(ups.host, port, ups.ups or ups.name), list_ms=settings.list_ms)


def _phone_lines(config: ProbeConfig, settings: ProbeSettings, _: Callable[[], Load]) -> Sequence[Sensor]:
    return [
        PhoneLineSensor(
            line.name,
            TrunkAddress(
                line.host, line.port or SIP_PORTS[line.transport], line.transport, line.ca_file, line.bind_address
            ),
            settings.phone_line,
            account=_account(line.register),
            via_line=line.via_line,
            site=config.site,
            clock_domain=config.source,
        )
        for line in config.phone_line
    ]


def _account(register: RegisterConfig | None) -> Account | None:
    if register is None:
        return None
    user = register.aor.partition(":")[2].partition("@")[0]
    return Account(register.aor, register.username or user, register.password_file)


SENSORS: Final[Mapping[str, Factory]] = {
    "seat": _seat,
    "ups": _ups,
    "phone_line": _phone_lines,
}


def build(config: ProbeConfig, settings: ProbeSettings, load: Callable[[], Load]) -> list[Sensor]:
    """Every sensor that `config` asks for. `load` tells the heartbeat what the outbox holds."""
    return [sensor for factory in SENSORS.values() for sensor in factory(config, settings, load)]


def machine(settings: ProbeSettings, notes: Notes, awake_ms: Callable[[], int]) -> Sensor:
    """What every probe watches, whatever its configuration: the machine it runs on."""
    return MachineSensor(settings.machine_schedule, settings.machine, notes, awake_ms=awake_ms)
