"""A client folded in memory: shard, second stage, and a dictionary where the facts store would be."""

from collections.abc import Iterable, Sequence

from sla_engine._core.client import Change, ClientState, TileSettings, fold_client
from sla_engine._core.engine import live, new_shard, shard_of, step
from sla_engine._core.result import LiveConversation
from sla_engine._core.shard import Shard
from sla_engine._core.tiles import ClientPart, client_part
from sla_engine._core.windows import WindowCalendar
from sla_engine.facts_store import FactKey, key_of
from sla_engine.runners.lookup import Lookup
from sla_engine.zones import zone_table
from wire.board import PersonTile
from wire.recorded import Recorded
from wire.verdict import Fact

CALENDAR = WindowCalendar(zone_table("Asia/Shanghai"), 900_000, 4 * 3_600_000)


TILES = TileSettings(
    hands_limit=10,
    hands_idle_ms=7_200_000,
    surge_conversations=3,
    surge_within_ms=60_000,
    follow_up_lasts_ms=300_000,
    due_soon_max_ms=10_000,
)


class Folding:
    """Everything one client needs to show its tiles."""

    def __init__(self, shards: int = 1, client: str = "acme", *, hindsight: bool = False) -> None:
        self.shards: list[Shard] = [new_shard(number, shards) for number in range(shards)]
        self.lookup = Lookup(self.shards[0])
        self.state = ClientState(
            client, CALENDAR, self.lookup.shown_of, self.lookup.place_of, TILES, hindsight=hindsight
        )
        self.facts: dict[FactKey, Fact] = {}

    def fold(self, batch: Sequence[Recorded], now: int) -> None:
        """One step of every shard, then of the second stage."""
        changes: list[Change] = []
        stands: dict[str, LiveConversation | None] = {}
        for shard in self.shards:
            result = step(shard, batch, now)
            for fact in result.facts:
                changes.append(Change(fact, self.facts.get(key_of(fact))))
                self.facts[key_of(fact)] = fact
            stands |= {conversation: live(shard, conversation) for conversation in result.touched}
        self.state.observe(batch)
        fold_client(self.state, changes, stands, self.lookup.live_watermark(), now)

    def fold_all(self, entries: Sequence[Recorded], cuts: Iterable[int] = ()) -> None:
        """Fold entries in batches that end at `cuts`, at the instants they came in."""
        edges = sorted({cut for cut in cuts if 0 < cut < len(entries)})
        for start, end in zip([0, *edges], [*edges, len(entries)], strict=True):
            self.fold(entries[start:end], entries[end - 1].received_at)

    def part(self) -> ClientPart:
        """The tiles as they are now."""
        return client_part(self.state, self.lookup.promise_of)

    def people(self) -> list[PersonTile]:
        """A tile of each person."""
        return [*client_part(self.state, self.lookup.promise_of, self.lookup.on_roster()).people]

    def shard_of(self, key: str) -> Shard:
        """The shard a conversation lives in; here its id is its key."""
        return self.shards[shard_of(key, len(self.shards))]
