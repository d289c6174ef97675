"""Promises for tests."""

import msgspec

from dashboards.alerting.burn import Promise

HOUR_MS = 3_600_000
SIXTEEN_HOURS_A_DAY = 30 * 16 * HOUR_MS


def promise(**changed: object) -> Promise:
    """80 % of all queues of acme, since ever, sixteen hours a day."""
    usual = Promise(
        client="acme",
        contract="chat",
        queues=("*",),
        target_bp=8_000,
        begins_at=0,
        ends_at=None,
        open_ms=SIXTEEN_HOURS_A_DAY,
    )
    return msgspec.structs.replace(usual, **changed)
