"""What the broker is configured with, as text, and what brings a running one up to date."""

import json

from collector.enrolment._core.broker import (
    CONTROL,
    HUB,
    BrokerLimits,
    Listener,
    access,
    commands,
    configuration,
    rules,
)
from seatwatch.settings import load_defaults

LISTENER = Listener(address="0.0.0.0", port=8883, folder="/etc/b", plugin="/lib/p.so", pid_file="", log="")


def test_nobody_comes_in_without_a_certificate_and_everybody_under_its_own_name() -> None:
    text = configuration(LISTENER, load_defaults().fill(BrokerLimits, "enrolment")).splitlines()
    assert {
        "listener 8883 0.0.0.0",
        "allow_anonymous false",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "crlfile /etc/b/revoked.pem",
        "persistence false",
        "max_packet_size 65536",
    } <= set(text)
    assert not [line for line in text if line.startswith(("acl_file", "password_file", "log_dest file"))]


def test_everything_that_is_not_listed_is_denied() -> None:
    document = json.loads(access(["site1/gateway"]))
    denied = {kind for kind, allowed in document["defaultACLAccess"].items() if not allowed}
    assert denied == {"publishClientSend", "publishClientReceive", "subscribe"}
    assert [client["username"] for client in document["clients"]] == [HUB, CONTROL, "site1/gateway"]
    assert all("password" not in client for client in document["clients"])


def test_a_probe_may_do_four_things() -> None:
    assert set(rules("s/p")) == {
        ("publishClientSend", "v1/s/p/up"),
        ("publishClientSend", "v1/s/p/now"),
        ("subscribeLiteral", "v1/s/p/ack"),
        ("publishClientReceive", "v1/s/p/ack"),
    }


def test_who_is_gone_is_deleted_and_who_is_new_is_made_and_the_hub_itself_stays() -> None:
    wanted = commands([HUB, CONTROL, "s/gone", "s/stays"], ["s/stays", "s/new"])
    assert [(each["command"], each.get("username") or each["rolename"]) for each in wanted] == [
        ("deleteClient", "s/gone"),
        ("deleteRole", "s/gone"),
        ("createRole", "s/new"),
        ("createClient", "s/new"),
    ]
    assert commands(["s/stays"], ["s/stays"]) == []
