"""Every threshold of the probe, from the one place of thresholds."""

from agent_probe._core.gate import Rhythm
from agent_probe._core.machine import MachineRules
from agent_probe._core.outbox import OutboxLimits
from agent_probe._core.storage import DropClass
from agent_probe.config import HttpSettings, ProbeSettings, UplinkSettings
from seatwatch import __version__
from seatwatch.probe.sensors import (
    ProbeTimes,
    line_settings,
    phone_line_settings,
    platform_settings,
    seat_settings,
    ups_settings,
)
from seatwatch.settings import Defaults
from wire.limits import IN_FLIGHT_FRAMES_MAX


def probe_settings(defaults: Defaults) -> ProbeSettings:
    """What the probe runs by."""

    def ms(name: str) -> int:
        return defaults.ms(f"probe.{name}")

    times = ProbeTimes(defaults)

    return ProbeSettings(
        outbox=_outbox_limits(defaults),
        uplink=UplinkSettings(
            connect_ms=ms("connect"),
            publish_ms=ms("publish"),
            keepalive_ms=ms("keepalive"),
            reconnect_min_ms=ms("reconnect_min"),
            reconnect_max_ms=ms("reconnect_max"),
            flush_ms=ms("last_words"),
            unacknowledged_ms=ms("unacknowledged"),
            acks_queued=defaults.int("probe.acks_queued"),
            in_flight=IN_FLIGHT_FRAMES_MAX,
        ),
        http=HttpSettings(
            head_bytes=defaults.int("probe.http_head_size"),
            slowly_ms=ms("http_refused_retry"),
            mqtt_retry_ms=ms("mqtt_retry"),
            mqtt_unheard=defaults.int("probe.mqtt_unheard"),
            mqtt_unheard_ms=ms("mqtt_unheard_retry"),
        ),
        ups=ups_settings(times),
        phone_line=phone_line_settings(times),
        seat=seat_settings(times),
        platform=platform_settings(times),
        programs_ms=ms("programs_read"),
        sparing_ms=ms("outbox_sparing"),
        lines=line_settings(times),
        machine=MachineRules(ms("machine_slept"), ms("machine_stepped")),
        machine_schedule=times.schedule("machine_looked"),
        seat_heartbeat=times.schedule("seat_heartbeat"),
        gateway_heartbeat=times.schedule("gateway_heartbeat"),
        heartbeat_rhythm=Rhythm(0, ms("heartbeat_recorded"), DropClass.HEARTBEAT),
        jitter_ratio=defaults.ratio("probe.jitter"),
        shared_ms=ms("shared_wake"),
        report_ms=ms("figures"),
        threads=defaults.int("probe.threads"),
        version=__version__,
    )


def _outbox_limits(defaults: Defaults) -> OutboxLimits:
    return OutboxLimits(
        keep_ms=defaults.ms("probe.outbox_age"),
        keep_bytes=defaults.int("probe.outbox_size"),
        resend_ms=defaults.ms("probe.resend"),
        in_flight=IN_FLIGHT_FRAMES_MAX,
        frame_bytes=defaults.int("probe.frame_size"),
        row_interval_ms=defaults.ms("probe.row_pause"),
        burst_rows=defaults.int("probe.rows_at_once"),
        expiry_check_ms=defaults.ms("probe.outbox_expiry_check"),
        runs_max=defaults.int("probe.outbox_losses_listed"),
        finished_max=defaults.int("probe.outbox_epochs_remembered"),
        trim_parts=defaults.int("probe.outbox_trim_parts"),
        trim_rows=defaults.int("probe.outbox_trim_rows"),
        trim_rows_full=defaults.int("probe.outbox_trim_rows_full"),
        reserved_rows=defaults.int("probe.outbox_reserved_rows"),
        asides_kept=defaults.int("probe.outbox_asides_kept"),
        log_reserve_bytes=defaults.int("probe.outbox_log_reserve"),
    )
