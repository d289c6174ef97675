from collector.intake import IntakeSettings
from collector.intake_http import HttpSettings
from collector.intake_mqtt import MqttSettings
from collector.timekeeper import TimekeeperSettings
from seatwatch.settings import load_defaults
from wire.limits import FRAME_ITEMS_MAX, IN_FLIGHT_FRAMES_MAX


def test_the_shipped_thresholds_fit_each_other() -> None:
    defaults = load_defaults()
    intake = defaults.fill(IntakeSettings, "collector")
    assert intake.commit_rows_max > FRAME_ITEMS_MAX, "a full frame fits one commit"
    assert intake.waiting_rows_max >= FRAME_ITEMS_MAX * IN_FLIGHT_FRAMES_MAX
    broker = {"host": "127.0.0.1", "port": 1883, "protocol": "5", "username": None, "password": None}
    mqtt = defaults.fill(MqttSettings, "collector", prefix="mqtt_", **broker)
    assert mqtt.in_flight_max <= intake.waiting_frames_max
    assert mqtt.reconnect_first_ms <= mqtt.reconnect_longest_ms
    http = defaults.fill(HttpSettings, "collector", prefix="http_", retry_after_ms=intake.retry_after_ms)
    assert http.requests_burst >= http.requests_per_s
    times = defaults.fill(TimekeeperSettings, "collector")
    assert times.clock_open_ms < times.clock_idle_ms
