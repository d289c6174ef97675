"""The authority's own files, what it signs, and what a TLS library makes of it."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from collector.enrolment._core.codes import CODE_BITS, digest, spell
from collector.enrolment.authority import KEY_FILE, Authority, Span, new_serial, read_request
from collector.enrolment.errors import EnrolmentError
from tests.collector.enrolment.machines import DAY, NOW, Pc

SPAN = Span(NOW - DAY, NOW + 30 * DAY)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "authority", "hub.example.com", Span(NOW - DAY, NOW + 3650 * DAY))


def test_its_key_is_readable_by_its_owner_only_and_is_found_again(authority: Authority) -> None:
    assert stat.S_IMODE((authority.directory / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.directory.stat().st_mode) == 0o700
    assert Authority.open(authority.directory).fingerprint == authority.fingerprint


def test_an_authority_is_made_once(authority: Authority) -> None:
    with pytest.raises(EnrolmentError, match="already"):
        Authority.create(authority.directory, "hub", SPAN)


def test_a_key_that_others_can_read_is_not_used(authority: Authority) -> None:
    (authority.directory / KEY_FILE).chmod(0o640)
    with pytest.raises(EnrolmentError, match="chmod 600"):
        Authority.open(authority.directory)


def test_where_there_is_none_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match="seatwatch authority init"):
        Authority.open(tmp_path)


def test_a_key_of_another_certificate_is_noticed(authority: Authority, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", "hub", SPAN)
    (authority.directory / KEY_FILE).write_bytes((other.directory / KEY_FILE).read_bytes())
    with pytest.raises(EnrolmentError, match="belong together"):
        Authority.open(authority.directory)


def test_a_servers_certificate_holds_for_its_names_and_addresses_only(authority: Authority) -> None:
    leaf = x509.load_pem_x509_certificate(authority.server(("hub.example.com", "127.0.0.1"), SPAN).certificate)
    store = Store([x509.load_pem_x509_certificate(authority.pem)])
    verifier = PolicyBuilder().store(store).time(leaf.not_valid_before_utc)
    assert verifier.build_server_verifier(x509.DNSName("hub.example.com")).verify(leaf, [])
    with pytest.raises(VerificationError):
        verifier.build_server_verifier(x509.DNSName("other.example.com")).verify(leaf, [])


def test_a_probes_certificate_is_of_no_use_to_a_server(authority: Authority) -> None:
    pem = authority.sign(read_request(Pc("pc").request()), "site1/seat-01", new_serial(), SPAN)
    usage = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_list_of_what_is_revoked_names_serials_and_is_signed(authority: Authority) -> None:
    crl = x509.load_pem_x509_crl(authority.revocations({"a1": NOW, "ff": NOW}, 7, NOW, NOW + DAY))
    assert sorted(each.serial_number for each in crl) == [0xA1, 0xFF]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    assert crl.is_signature_valid(x509.load_pem_x509_certificate(authority.pem).public_key())  # type: ignore[arg-type]  # ours is P-256


def test_a_code_carries_all_of_its_bits() -> None:
    highest = spell((1 << CODE_BITS) - 1)
    assert len(highest.replace("-", "")) == 26
    assert len({digest(spell(1 << bit)) for bit in range(CODE_BITS)}) == CODE_BITS
