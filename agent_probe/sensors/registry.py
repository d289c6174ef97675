"""Which sensors there are, by name, and what builds each: explicit, so that reading this file is enough.

What only some probes are asked for is imported where it is built: a probe counts its kilobytes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from agent_probe.config import ProbeConfig, ProbeSettings
from agent_probe.line_config import LineConfig
from agent_probe.lines import Lines
from agent_probe.notes import Notes
from agent_probe.platform import current
from agent_probe.sensors.base import Sensor
from agent_probe.sensors.config import SIP_PORTS, UPS_PORTS, PhoneLineConfig, RegisterConfig, UpsConfig
from agent_probe.sensors.phone_line.connection import TrunkAddress
from agent_probe.sensors.phone_line.sensor import Account, PhoneLineSensor
from agent_probe.sensors.seat.machine import MachineSensor
from agent_probe.sensors.seat.sensor import HeartbeatSensor, Load, Measured
from agent_probe.sensors.ups.sensor import UpsSensor, UpsSettings
from agent_probe.sensors.ups.sources import NutSource, UpsAddress, UpsSource
from wire.facility import Role
from wire.limits import MEASURED_MAX

if TYPE_CHECKING:
    from agent_probe.sensors.uplink.sensor import UplinkSensor


class Host(NamedTuple):
    """What sensors take from the probe they live in. load: what its outbox holds. lines: what its uplink rides on."""

    load: Callable[[], Load]
    lines: Lines
    now_ms: Callable[[], int]


Factory = Callable[[ProbeConfig, ProbeSettings, Host], Sequence[Sensor]]


def _seat(config: ProbeConfig, settings: ProbeSettings, host: Host) -> Sequence[Sensor]:
    return [*_heartbeat(config, settings, host), *_network(config, settings), *_platforms(config, settings)]


def _network(config: ProbeConfig, settings: ProbeSettings) -> Sequence[Sensor]:
    """A seat looks at its own way out. A gateway's lines are watched one by one instead."""
    network = config.network
    if config.role is Role.GATEWAY or not network.measured:
        return []
    from agent_probe.sensors.seat.echo import GatewayEcho  # noqa: PLC0415 - see above
    from agent_probe.sensors.seat.network import NetworkAddress, SeatSensor  # noqa: PLC0415 - see above

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
    if not config.platform:
        return []
    from agent_probe.sensors.seat.platform import PlatformSensor, PlatformTarget  # noqa: PLC0415 - see above
    from agent_probe.sensors.seat.programs import Programs  # noqa: PLC0415 - see above

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


def _heartbeat(config: ProbeConfig, settings: ProbeSettings, host: Host) -> Sequence[Sensor]:
    beat = settings.gateway_heartbeat if config.role is Role.GATEWAY else settings.seat_heartbeat
    return [
        HeartbeatSensor(
            beat,
            settings.heartbeat_rhythm,
            site=config.site,
            seat=config.seat,
            role=config.role,
            clock_domain=config.source,
            load=host.load,
            measured=Measured(_listed(config.ups), _listed(config.line), _listed(config.phone_line)),
        )
    ]


def _listed(things: Sequence[UpsConfig | LineConfig | PhoneLineConfig]) -> list[str] | None:
    """A list that a heartbeat cannot hold is left out whole: the hub would forget what it does not name."""
    return [each.name for each in things] if len(things) <= MEASURED_MAX else None


def _ups(config: ProbeConfig, settings: ProbeSettings, _: Host) -> Sequence[Sensor]:
    return [
        UpsSensor(ups.name, _source(ups, settings.ups), settings.ups, site=config.site, clock_domain=config.source)
        for ups in config.ups
    ]


def _source(ups: UpsConfig, settings: UpsSettings) -> UpsSource:
    port = ups.port or UPS_PORTS[ups.via]
    if ups.via == "snmp":
        from agent_probe.sensors.ups.ups_mib import SnmpSource  # noqa: PLC0415 - see above
        from agent_probe.snmp import SnmpAddress  # noqa: PLC0415 - see above

        return SnmpSource(SnmpAddress(ups.host, port, ups.community), resend_ms=settings.resend_ms)
    if ups.via == "battery":
        from agent_probe.sensors.ups.battery import BatterySource  # noqa: PLC0415 - see above

        return BatterySource(current().battery, low_ratio=settings.low_ratio)
    return NutSource(UpsAddress(ups.host, port, ups.ups or ups.name), list_ms=settings.list_ms)


def _phone_lines(config: ProbeConfig, settings: ProbeSettings, _: Host) -> Sequence[Sensor]:
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


def _uplink(config: ProbeConfig, settings: ProbeSettings, host: Host) -> Sequence[Sensor]:
    if not config.line:
        return []
    from agent_probe.sensors.uplink.echo import Target  # noqa: PLC0415 - see above
    from agent_probe.sensors.uplink.sensor import UplinkSensor  # noqa: PLC0415 - see above
    from agent_probe.sensors.uplink.watched import LineAt  # noqa: PLC0415 - see above

    def line_at(line: LineConfig) -> LineAt:
        parts = [target.partition(":") for target in line.targets]
        targets = tuple(Target(address, int(port) if port else None) for address, _, port in parts)
        return LineAt(line.name, line.carrier, line.interface, line.source_address, line.gateway, targets)

    uplink = UplinkSensor(
        [line_at(line) for line in config.line],
        settings.lines,
        host.lines,
        site=config.site,
        clock_domain=config.source,
        now_ms=host.now_ms,
    )
    return [uplink, *_routers(config.line, settings, uplink), *_witnesses(config, settings, host)]


def _witnesses(config: ProbeConfig, settings: ProbeSettings, host: Host) -> Sequence[Sensor]:
    """The hub is asked over each line from where it comes; not where it has no door of its own that we may ask."""
    from agent_probe.enrolment.identity import witness_door  # noqa: PLC0415 - see above

    hub = witness_door(config, current())
    if hub is None:
        return []
    from agent_probe.sensors.uplink.witness import WitnessDoor, WitnessSensor  # noqa: PLC0415 - see above

    door = WitnessDoor(hub, settings.http, config.source)
    return [
        WitnessSensor(
            line.name,
            line.interface,
            door,
            host.lines,
            settings.lines.witness,
            soon_ms=settings.lines.witness_soon_ms,
            patience_ms=settings.uplink.connect_ms,
        )
        for line in config.line
    ]


def _routers(lines: Sequence[LineConfig], settings: ProbeSettings, uplink: "UplinkSensor") -> Sequence[Sensor]:
    asked = [(line.name, line.router) for line in lines if line.router is not None]
    if not asked:
        return []
    from agent_probe.sensors.uplink.router import RouterSensor  # noqa: PLC0415 - see above
    from agent_probe.snmp import SnmpAddress  # noqa: PLC0415 - see above

    routers: dict[SnmpAddress, dict[str, int]] = {}
    for name, router in asked:
        address = SnmpAddress(router.host, router.port, router.community)
        routers.setdefault(address, {})[name] = router.interface_index
    return [
        RouterSensor(
            address, links, settings.lines.router, resend_ms=settings.lines.snmp_resend_ms, told=uplink.router_says
        )
        for address, links in routers.items()
    ]


SENSORS: Final[Mapping[str, Factory]] = {
    "seat": _seat,
    "ups": _ups,
    "phone_line": _phone_lines,
    "uplink": _uplink,
}


def build(config: ProbeConfig, settings: ProbeSettings, host: Host) -> list[Sensor]:
    """Every sensor that `config` asks for."""
    return [sensor for factory in SENSORS.values() for sensor in factory(config, settings, host)]


def machine(settings: ProbeSettings, notes: Notes, awake_ms: Callable[[], int]) -> Sensor:
    """What every probe watches, whatever its configuration: the machine it runs on."""
    return MachineSensor(settings.machine_schedule, settings.machine, notes, awake_ms=awake_ms)
