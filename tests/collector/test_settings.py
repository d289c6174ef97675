from collector.settings import http_settings, intake_settings, mqtt_settings, timekeeper_settings
from seatwatch.settings import load_defaults
from wire.limits import FRAME_ITEMS_MAX, IN_FLIGHT_FRAMES_MAX


def test_the_shipped_thresholds_fit_each_other() -> None:
    defaults = load_defaults()
    intake = intake_settings(defaults)
    assert intake.commit_rows_max > FRAME_ITEMS_MAX, "a full frame fits one commit"
    assert intake.waiting_rows_max >= FRAME_ITEMS_MAX * IN_FLIGHT_FRAMES_MAX
    mqtt = mqtt_settings(defaults, "127.0.0.1", 1883, "5")
    assert mqtt.in_flight_max <= intake.waiting_frames_max
    assert mqtt.reconnect_first_ms <= mqtt.reconnect_longest_ms
    http = http_settings(defaults)
    assert http.requests_burst >= http.requests_per_s
    times = timekeeper_settings(defaults)
    assert times.clock_open_ms < times.clock_idle_ms
