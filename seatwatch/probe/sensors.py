"""The thresholds of the probe's sensors, from the one place of thresholds."""

from typing import Final

from agent_probe._core.gate import Rhythm
from agent_probe._core.line import LineRules
from agent_probe._core.line_window import WindowRules
from agent_probe._core.storage import DropClass
from agent_probe.sensors.base import Schedule
from agent_probe.sensors.phone_line.registration import RegistrationRules
from agent_probe.sensors.phone_line.sensor import PhoneLineSettings
from agent_probe.sensors.phone_line.transaction import TransactionRules
from agent_probe.sensors.phone_line.trunk import TrunkRules
from agent_probe.sensors.seat.settings import PlatformSettings, SeatSettings
from agent_probe.sensors.uplink.settings import LineSettings
from agent_probe.sensors.ups.debounce import DebounceRules
from agent_probe.sensors.ups.runtime import WHOLE, SlopeRules
from agent_probe.sensors.ups.sensor import UpsSettings
from seatwatch.settings import Defaults

PERMILLE: Final = 1000
US_PER_MS: Final = 1000


class ProbeTimes:
    """Thresholds of the section `probe`, by the names they have there."""

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults

    def ms(self, name: str) -> int:
        """A time in ms."""
        return self.defaults.ms(f"probe.{name}")

    def count(self, name: str) -> int:
        """A number of things."""
        return self.defaults.int(f"probe.{name}")

    def permille(self, name: str) -> int:
        """A ratio in thousandths."""
        return round(self.defaults.ratio(f"probe.{name}") * PERMILLE)

    def schedule(self, name: str, deadline: str = "sample_deadline") -> Schedule:
        """How often a sensor is sampled, and how long that may take."""
        return Schedule(self.ms(name), self.ms(deadline), self.ms("retry_first"), self.ms("retry_last"))

    def repeated(self, name: str) -> Rhythm:
        """How often what does not change is said again."""
        return Rhythm(self.ms(name), self.ms(name), DropClass.SAMPLE)


def line_settings(times: ProbeTimes) -> LineSettings:
    """Of a broadband line."""
    ms, count = times.ms, times.count
    return LineSettings(
        schedule=times.schedule("line_sample"),
        rhythm=Rhythm(ms("line_shown"), ms("line_recorded"), DropClass.SAMPLE),
        rules=LineRules(
            probe_ms=ms("line_probe"),
            answer_ms=ms("line_answer"),
            lost_ms=ms("line_lost"),
            suspect_misses=count("line_suspect_misses"),
            burst_probes=count("line_burst_probes"),
            burst_gap_ms=ms("line_burst_gap"),
            up_good=count("line_up_good"),
            up_ms=ms("line_up_after"),
            gateway_ms=ms("line_gateway"),
            gateway_misses=count("line_gateway_misses"),
            stall_ms=ms("line_stall"),
            window=WindowRules(
                window_ms=ms("line_window"),
                samples_min=count("line_samples_min"),
                loss_enter_permille=times.permille("line_loss_enter"),
                loss_leave_permille=times.permille("line_loss_leave"),
                rtt_enter_us=ms("line_rtt_enter") * US_PER_MS,
                rtt_leave_us=ms("line_rtt_leave") * US_PER_MS,
                dead_target_misses=count("line_dead_target_misses"),
            ),
        ),
        router=times.schedule("line_router"),
        snmp_resend_ms=ms("snmp_resend"),
        witness=times.schedule("line_witness", "line_witness_deadline"),
        witness_soon_ms=ms("line_witness_soon"),
    )


def ups_settings(times: ProbeTimes) -> UpsSettings:
    """Of a UPS."""
    return UpsSettings(
        schedule=times.schedule("ups_status"),
        rhythm=times.repeated("ups_repeated"),
        debounce=DebounceRules(times.ms("ups_flicker"), times.ms("ups_off"), times.ms("ups_dead"), times.ms("ups_gap")),
        slope=SlopeRules(
            times.ms("ups_slope"),
            round(WHOLE * times.defaults.ratio("probe.ups_slope_drop")),
            times.defaults.int("probe.ups_slope_falls"),
        ),
        list_ms=times.ms("ups_variables"),
        resend_ms=times.ms("snmp_resend"),
        low_ratio=times.defaults.ratio("probe.battery_low"),
    )


def phone_line_settings(times: ProbeTimes) -> PhoneLineSettings:
    """Of a phone line."""
    return PhoneLineSettings(
        schedule=times.schedule("phone_asked", "phone_deadline"),
        suspect=times.schedule("phone_suspect", "phone_deadline"),
        rhythm=times.repeated("phone_repeated"),
        trunk=times.defaults.fill(TrunkRules, "probe"),
        registration=times.defaults.fill(RegistrationRules, "probe"),
        transaction=times.defaults.fill(TransactionRules, "probe"),
    )


def seat_settings(times: ProbeTimes) -> SeatSettings:
    """Of a seat's own network."""
    return SeatSettings(
        schedule=times.schedule("seat_network", "seat_deadline"),
        rhythm=times.repeated("seat_repeated"),
        answer_ms=times.ms("seat_answer"),
        misses_believed=times.count("seat_misses"),
        clock_every_ms=times.ms("clock_asked"),
        clock_off_ms=times.ms("clock_off"),
    )


def platform_settings(times: ProbeTimes) -> PlatformSettings:
    """Of a platform."""
    return PlatformSettings(
        schedule=times.schedule("platform_tried", "platform_deadline"),
        suspect=times.schedule("platform_suspect", "platform_deadline"),
        rhythm=times.repeated("seat_repeated"),
        connect_ms=times.ms("platform_connect"),
        misses_believed=times.count("seat_misses"),
    )
