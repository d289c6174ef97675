"""What a configuration leaves to chance: it can be used as it is, but its operator should know."""

from collections.abc import Callable, Collection, Iterator

from seatwatch.config import Config
from wire.record import Feed


def notes(config: Config, file: str, filled: Callable[..., str], never_open: Collection[int] = ()) -> Iterator[str]:
    """One line each, with the fix, about the configuration in `file`. filled: `Teller.filled` of a language.

    never_open: places of messages that wait for an opening there is not.
    """
    for number, source in enumerate(config.source):
        if source.feed is Feed.LIVE and source.heartbeat_s is None:
            yield filled("check_no_heartbeat", file=file, key=f"source[{number}].heartbeat_s", source=source.id)
    alerting = config.alerting
    if alerting.alertmanager_urls and not config.duty:
        yield filled("check_no_duty", file=file)
    if config.duty and not alerting.public_url:
        yield filled("check_no_public_url", file=file)
    if config.duty and alerting.alertmanager_urls and not alerting.deadman_url:
        yield filled("check_no_deadman", file=file)
    for number in never_open:
        message = config.message[number]
        whose = message.client or message.site
        yield filled("check_never_opens", file=file, key=f"message[{number}].kind", whose=whose)
