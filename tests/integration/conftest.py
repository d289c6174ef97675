"""What the tests of one file in front of a browser share: one Chromium, and one server that they tell what to show."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.dashboards.screens import Wall, chromium, wall


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    with wall(tmp_path_factory.mktemp("wall")) as opened:
        yield opened
