"""Limits of sites for tests: what is shipped."""

from seatwatch.settings import load_defaults
from seatwatch.site_limits import site_limits

LIMITS = site_limits(load_defaults())
