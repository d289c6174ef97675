"""Dumps of real UPS devices, served by a real upsd: unplugged, each is on the board within two seconds."""

import os
from pathlib import Path

import pytest

from tests.integration.ups_on_board import seconds_until_the_board_shows_battery

DUMPS = Path(os.environ.get("SEATWATCH_SHARED_DATA", "../shared/data")) / "nut"
LIMIT_S = 2.0


@pytest.mark.parametrize(
    "dump",
    [
        "Eaton__5E2200USB-LA__nutdrv_qx__2.7.4.1__01.dev",
        "APC__Matrix-UPS_3000__apcsmart__2.2.0__01.dev",
    ],
)
def test_an_unplugged_device_is_on_the_board_within_two_seconds(dump: str, tmp_path: Path) -> None:
    assert seconds_until_the_board_shows_battery(tmp_path, DUMPS / dump) < LIMIT_S
