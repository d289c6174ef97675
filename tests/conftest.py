"""What every test gets: no skips, real servers on request, and property tests whose failures can be repeated."""

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.no_skips", "tests.servers")

# No deadline per example: the machine that runs this is shared, and a slow example is not a wrong one.
settings.register_profile("seatwatch", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seatwatch")
