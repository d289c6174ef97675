"""Where the hub is and through which proxy: what an operator and an environment may say."""

import pytest

from agent_probe.hub import Address, basic_credentials, is_loopback, proxy_for, read_url

HUB = Address("hub.example", 443, is_tls=True)


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("https://hub.example", HUB, "hub.example"),
        ("https://hub.example/", HUB, "hub.example"),
        ("https://hub.example:8443/seatwatch/", Address("hub.example", 8443, True, "/seatwatch"), "hub.example:8443"),
        ("http://127.0.0.1:8787", Address("127.0.0.1", 8787, False), "127.0.0.1:8787"),
        ("https://[2001:db8::1]", Address("2001:db8::1", 443, True), "[2001:db8::1]"),
        ("http://me:s%40crt@proxy:3128", Address("proxy", 3128, False, "", "me:s@crt"), "proxy:3128"),
    ],
)
def test_an_address_is_read_with_its_usual_port(url: str, address: Address, authority: str) -> None:
    assert read_url(url) == address
    assert address.authority == authority


@pytest.mark.parametrize("url", ["", "hub.example", "ftp://hub", "https://", "https://hub/?a=1", "https://hub:x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_url(url)


@pytest.mark.parametrize(
    ("configured", "environment", "proxy"),
    [
        ("", {}, None),
        ("http://p:3128", {"HTTPS_PROXY": "http://other:1"}, Address("p", 3128, False)),
        ("", {"HTTPS_PROXY": "http://p:3128"}, Address("p", 3128, False)),
        ("", {"https_proxy": "p:3128"}, Address("p", 3128, False)),
        ("", {"http_proxy": "http://p:3128"}, None),
        ("direct", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "localhost, .example"}, None),
        ("", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, None),
        ("", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "ample"}, Address("p", 3128, False)),
    ],
)
def test_a_proxy_is_the_configured_one_or_the_environments(
    configured: str, environment: dict[str, str], proxy: Address | None
) -> None:
    assert proxy_for(HUB, configured, environment) == proxy


def test_only_this_machine_is_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "hub", "10.0.0.1")] == [1, 1, 1, 0, 0]


def test_credentials_of_a_proxy_are_encoded_as_it_wants_them() -> None:
    assert basic_credentials("me:秘") == "Basic bWU656eY"
