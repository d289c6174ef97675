"""Mains lost at a site is on the board within two seconds, through real parts only."""

from pathlib import Path

from tests.integration.ups_on_board import seconds_until_the_board_shows_battery
from tests.servers import ONLINE_UPS

LIMIT_S = 2.0


def test_mains_lost_is_on_the_board_and_in_the_metrics_within_two_seconds(tmp_path: Path) -> None:
    assert seconds_until_the_board_shows_battery(tmp_path, ONLINE_UPS) < LIMIT_S
