"""MQTT topics and stream names, spelled nowhere else.

A probe writes `v1/<site>/<probe>/up` (backlog) and `v1/<site>/<probe>/now` (snapshots) and reads
`v1/<site>/<probe>/ack`. Its source id is `<site>/<probe>`: topic, certificate and payload must name the same one.
"""

from typing import Final, NamedTuple

from wire.ids import SourceId

UPLINK_FILTER: Final = "v1/+/+/up"
SNAPSHOT_FILTER: Final = "v1/+/+/now"
BROKER_LOG: Final = "$SYS/broker/log/N"
"""Where Mosquitto publishes notices: connections among them."""
# Format: of a topic, v1/<site>/<probe>/<lane>.
_PARTS: Final = 4

LEDGERS_KEY: Final = "seatwatch:ledgers"
"""Redis hash: client (or "operator") -> its ledger as announced (wire.stream), for who follows streams."""
PULSES_KEY: Final = "seatwatch:pulses"
"""Redis hash: client (or "operator") -> the pulse of its ledger (wire.stream), renewed while a collector lives."""


class ProbeTopic(NamedTuple):
    """What a topic of ours says: the source, and which lane (`up`, `now`, `ack`)."""

    source: SourceId
    lane: str


def backlog_topic(source: str) -> str:
    """Where a probe publishes numbered frames."""
    return f"v1/{source}/up"


def snapshot_topic(source: str) -> str:
    """Where a probe publishes its present state."""
    return f"v1/{source}/now"


def ack_topic(source: str) -> str:
    """Where the collector answers a probe."""
    return f"v1/{source}/ack"


def parse_topic(topic: str) -> ProbeTopic | None:
    """The source and lane a topic names, or None when it is none of ours."""
    parts = topic.split("/")
    if len(parts) != _PARTS or parts[0] != "v1" or parts[3] not in {"up", "now", "ack"}:
        return None
    return ProbeTopic(SourceId(f"{parts[1]}/{parts[2]}"), parts[3])


def stream_name(ledger_id: bytes, shard: int = 0) -> str:
    """Redis stream of one ledger's shard; the hash tag keeps a ledger on one cluster node."""
    return f"seatwatch:{{{ledger_id.hex()}}}:entries:{shard}"
