"""The names that a configuration gives, and those it gives to readers of English."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from dashboards.wallboard._core.names import Names
from wire.spelling import isolated


class NamedSection(msgspec.Struct, frozen=True, kw_only=True):
    """A client, a queue or a shop of one, a site or a team, and what screens call it; name_en: those in English."""

    id: str
    name: str = ""
    name_en: str = ""


def names_given(
    clients: Sequence[NamedSection],
    queues: Mapping[tuple[str, str], NamedSection],
    shops: Mapping[tuple[str, str], NamedSection],
    sites: Sequence[NamedSection],
    teams: Sequence[NamedSection],
) -> Names:
    """By id; queues and shops by client and id. "" where a section gives none."""

    def by(given: Callable[[NamedSection], str]) -> Names:
        def name(each: NamedSection) -> str:
            return isolated(given(each))

        return Names(
            clients={each.id: name(each) for each in clients},
            queues={key: name(each) for key, each in queues.items()},
            sites={each.id: name(each) for each in sites},
            shops={key: name(each) for key, each in shops.items()},
            teams={each.id: name(each) for each in teams},
        )

    return msgspec.structs.replace(by(lambda each: each.name), english=by(lambda each: each.name_en or each.name))
