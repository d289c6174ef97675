"""Which messages wait for an opening that never comes."""

from pathlib import Path

from seatwatch.config import Config
from seatwatch.duty.times import DutyTimes, next_opening
from seatwatch.server.rules import client_definition


def never_due(config: Config, base: Path, now_ms: int) -> list[int]:
    """Places of pre-opening checks whose client, by its definition, or site, by the roster on record, never opens.

    base: the folder of the configuration. Raises ConfigError and LedgerCorrupt.
    """
    clients = {client.id: client for client in config.client}
    found = []
    for number, message in enumerate(config.message):
        if message.kind != "pre-opening":
            continue
        if message.client:
            opening = DutyTimes(client_definition(clients[message.client], base)).next_opening(now_ms)
        else:
            opening = next_opening(config.data_dir(base), "", message.site, now_ms)
        if opening is None:
            found.append(number)
    return found
