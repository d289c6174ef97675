"""What every test gets: no skips, real servers on request, and property tests whose failures can be repeated."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.no_skips", "tests.order", "tests.servers")

# No deadline per example: the machine that runs this is shared, and a slow example is not a wrong one.
settings.register_profile("seatwatch", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seatwatch")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m alone`, files that mark nothing so are not loaded: that takes longer than half of those tests."""
    if config.getoption("markexpr") != "alone" or collection_path.suffix != ".py":
        return None
    return True if "pytest.mark.alone" not in collection_path.read_text(encoding="utf-8") else None
