"""What Mosquitto is configured with: one TLS listener, an identity as user name and client id, own topics only.

Access is kept by Mosquitto's dynamic security plugin rather than by an `acl_file`: with the latter every subscription
is granted and only what would be delivered by it is held back; the plugin refuses the subscription, with a reason code,
and lets the hub end the session of whoever lost its identity. Whatever is not listed here is denied.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from wire.topics import BROKER_LOG, SNAPSHOT_FILTER, UPLINK_FILTER, ack_topic, backlog_topic, snapshot_topic

HUB: Final = "seatwatch-hub"
"""The identity of the collector: no probe's, since a probe's has a slash."""
CONTROL: Final = "seatwatch-control"
"""The identity of whoever tells the broker who may speak. It sees nothing of what probes say."""
CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"
CONTROL_ANSWERS: Final = "$CONTROL/dynamic-security/v1/response"
_ALL_ACKS: Final = "v1/+/+/ack"

Command: TypeAlias = dict[str, object]
Rule: TypeAlias = tuple[str, str]
"""Kind of access and topic, in the plugin's words."""


class BrokerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the broker, from `[enrolment]` in defaults.toml. The packet limit is a frame's."""

    packet_bytes: int
    queued_messages: int
    queued_bytes: int
    connections: int


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker listens and keeps its files. folder: absolute; plugin: path of the shared object.

    pid_file: of the broker, "" = unknown. log: where it writes what it denies, "" = nowhere.
    """

    address: str
    port: int
    folder: str
    plugin: str
    pid_file: str
    log: str


AUTHORITY_FILE: Final = "ca.pem"
SERVER_FILE: Final = "server.pem"
SERVER_KEY_FILE: Final = "server.key"
REVOKED_FILE: Final = "revoked.pem"
ACCESS_FILE: Final = "access.json"
CONFIGURATION_FILE: Final = "seatwatch.conf"


def configuration(listener: Listener, limits: BrokerLimits) -> str:
    """What Mosquitto's own file includes. Nothing depends on what a broker keeps, so it keeps nothing."""
    folder = listener.folder
    lines = [
        "# Written by `seatwatch roster apply`; the next one replaces it.",
        f"listener {listener.port} {listener.address}",
        f"cafile {folder}/{AUTHORITY_FILE}",
        f"certfile {folder}/{SERVER_FILE}",
        f"keyfile {folder}/{SERVER_KEY_FILE}",
        f"crlfile {folder}/{REVOKED_FILE}",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "allow_anonymous false",
        f"plugin {listener.plugin}",
        f"plugin_opt_config_file {folder}/{ACCESS_FILE}",
        "persistence false",
        "retain_available false",
        f"max_packet_size {limits.packet_bytes}",
        f"max_queued_messages {limits.queued_messages}",
        f"max_queued_bytes {limits.queued_bytes}",
        f"max_connections {limits.connections}",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_dest topic",
        "log_dest stdout",
    ]
    if listener.log:  # denials are debug messages to Mosquitto, which it neither counts nor publishes
        lines += ["log_type debug", f"log_dest file {listener.log}"]
    return "\n".join(lines) + "\n"


def access(identities: Iterable[str]) -> bytes:
    """What the plugin starts with, as its JSON file."""
    names = [HUB, CONTROL, *sorted(identities)]
    document = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [{"username": name, "roles": [{"rolename": name}]} for name in names],
        "roles": [{"rolename": name, "acls": _acls(name)} for name in names],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def commands(present: Iterable[str], wanted: Iterable[str]) -> list[Command]:
    """What brings a running broker from the identities it has to those it should have.

    Deleting a client ends its session. Roles of identities that are gone go too.
    """
    there, wanted = set(present), set(wanted)
    found: list[Command] = []
    for name in sorted(there - wanted - {HUB, CONTROL}):
        found += [{"command": "deleteClient", "username": name}, {"command": "deleteRole", "rolename": name}]
    for name in sorted(wanted - there):
        found += [
            {"command": "createRole", "rolename": name, "acls": _acls(name)},
            {"command": "createClient", "username": name, "roles": [{"rolename": name}]},
        ]
    return found


def rules(name: str) -> Sequence[Rule]:
    """Everything `name` may do; nothing else is allowed to anybody."""
    if name == HUB:
        heard = (UPLINK_FILTER, SNAPSHOT_FILTER, BROKER_LOG)
        return (
            *(("subscribeLiteral", topic) for topic in heard),
            *(("publishClientReceive", topic) for topic in heard),
            ("publishClientSend", _ALL_ACKS),
        )
    if name == CONTROL:
        return (
            ("publishClientSend", CONTROL_TOPIC),
            ("subscribeLiteral", CONTROL_ANSWERS),
            ("publishClientReceive", CONTROL_ANSWERS),
        )
    return (
        ("publishClientSend", backlog_topic(name)),
        ("publishClientSend", snapshot_topic(name)),
        ("subscribeLiteral", ack_topic(name)),
        ("publishClientReceive", ack_topic(name)),
    )


def _acls(name: str) -> list[dict[str, object]]:
    return [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in rules(name)]
