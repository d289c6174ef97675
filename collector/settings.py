"""Settings of the collector's parts from the thresholds in `[collector]` of seatwatch/defaults.toml."""

from typing import Literal, Protocol

from collector.intake import IntakeSettings
from collector.intake_http import HttpSettings
from collector.intake_mqtt import MqttSettings
from collector.timekeeper import TimekeeperSettings


class Thresholds(Protocol):
    """Where thresholds come from; seatwatch.settings.Defaults is one."""

    def ms(self, key: str) -> int:
        """A length of time in ms."""
        ...

    def int(self, key: str) -> int:
        """A count."""
        ...

    def ratio(self, key: str) -> float:
        """A ratio or a rate."""
        ...


def intake_settings(thresholds: Thresholds) -> IntakeSettings:
    """Of the intake."""
    return IntakeSettings(
        future_tolerance_ms=thresholds.ms("collector.future_tolerance"),
        holes_max=thresholds.int("collector.holes_max"),
        waiting_rows_max=thresholds.int("collector.waiting_rows_max"),
        waiting_frames_max=thresholds.int("collector.waiting_frames_max"),
        commit_rows_max=thresholds.int("collector.commit_rows_max"),
        retry_after_ms=thresholds.ms("collector.retry_after"),
        streams_max=thresholds.int("collector.streams_max"),
    )


def http_settings(thresholds: Thresholds) -> HttpSettings:
    """Of the HTTP door."""
    return HttpSettings(
        requests_per_s=int(thresholds.ratio("collector.http_requests")),
        requests_burst=thresholds.int("collector.http_burst"),
        body_timeout_ms=thresholds.ms("collector.http_body_timeout"),
        retry_after_ms=thresholds.ms("collector.retry_after"),
    )


def mqtt_settings(
    thresholds: Thresholds,
    host: str,
    port: int,
    protocol: Literal["5", "3.1.1"],
    *,
    username: str | None = None,
    password: str | None = None,
) -> MqttSettings:
    """Of the MQTT door to the broker at host:port."""
    return MqttSettings(
        host=host,
        port=port,
        protocol=protocol,
        username=username,
        password=password,
        keepalive_ms=thresholds.ms("collector.mqtt_keepalive"),
        connect_timeout_ms=thresholds.ms("collector.mqtt_connect_timeout"),
        queued_messages_max=thresholds.int("collector.mqtt_queued_messages"),
        in_flight_max=thresholds.int("collector.mqtt_in_flight"),
        reconnect_first_ms=thresholds.ms("collector.mqtt_reconnect_first"),
        reconnect_longest_ms=thresholds.ms("collector.mqtt_reconnect_longest"),
    )


def timekeeper_settings(thresholds: Thresholds) -> TimekeeperSettings:
    """Of the timekeeper."""
    return TimekeeperSettings(
        clock_open_ms=thresholds.ms("collector.clock_open"),
        clock_idle_ms=thresholds.ms("collector.clock_idle"),
        silent_after=int(thresholds.ratio("collector.silent_after")),
        restore_rows=thresholds.int("collector.restore_rows"),
    )
