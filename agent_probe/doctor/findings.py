"""What the doctor can find: closed words, which are keys of the glossary, and what goes into their places."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Subject(StrEnum):
    """What is looked at, in the order in which a connection needs it."""

    NAME = "doctor_name"
    PORT = "doctor_port"
    TLS = "doctor_tls"
    CLOCK = "doctor_clock"
    IDENTITY = "doctor_identity"
    LINE = "doctor_line"
    WITNESS = "doctor_witness"
    PHONE_LINE = "doctor_phone_line"
    UPS = "doctor_ups"
    DISK = "doctor_disk"


class Outcome(StrEnum):
    """SKIPPED: there is nothing to look at, or what it needs is in trouble itself."""

    OK = "ok"
    PROBLEM = "doctor_problem"
    SKIPPED = "doctor_skipped"


class Because(StrEnum):
    """Why a subject is in trouble, or what was seen of one that is not."""

    SEEN = "doctor_seen"
    NAME_UNKNOWN = "doctor_name_unknown"
    PORT_REFUSED = "doctor_port_refused"
    PORT_SILENT = "doctor_port_silent"
    PORT_UNREACHABLE = "doctor_port_unreachable"
    TLS_OFF = "doctor_tls_off"
    TLS_NOT_SPOKEN = "doctor_tls_not_spoken"
    TLS_AUTHORITY = "doctor_tls_authority"
    TLS_EXPIRED = "doctor_tls_expired"
    TLS_NOT_YET = "doctor_tls_not_yet"
    TLS_NAME = "doctor_tls_name"
    TLS_WANTS_OURS = "doctor_tls_wants_ours"
    TLS_PIN = "doctor_tls_pin"
    TLS_OTHER = "doctor_tls_other"
    PROXY_REFUSES = "doctor_proxy_refuses"
    CLOCK_WRONG = "doctor_clock_wrong"
    CLOCK_UNANSWERED = "doctor_clock_unanswered"
    CLOCK_NOTHING = "doctor_clock_nothing"
    IDENTITY_NONE = "doctor_identity_none"
    IDENTITY_MISSING = "doctor_identity_missing"
    IDENTITY_UNREADABLE = "doctor_identity_unreadable"
    IDENTITY_OPEN = "doctor_identity_open"
    IDENTITY_MISMATCH = "doctor_identity_mismatch"
    IDENTITY_EXPIRED = "doctor_identity_expired"
    IDENTITY_REFUSED = "doctor_identity_refused"
    IDENTITY_ENDED = "doctor_identity_ended"
    HUB_OTHER = "doctor_hub_other"
    LINE_OFF = "doctor_line_off"
    LINE_NO_LINK = "doctor_line_no_link"
    LINE_NO_ADDRESS = "doctor_line_no_address"
    LINE_SILENT = "doctor_line_silent"
    LINE_FORBIDDEN = "doctor_line_forbidden"
    LINE_SHARED = "doctor_line_shared"
    WITNESS_NO_DOOR = "doctor_witness_no_door"
    WITNESS_PROXY = "doctor_witness_proxy"
    WITNESS_SILENT = "doctor_witness_silent"
    WITNESS_SHARED = "doctor_witness_shared"
    ROUTER_SILENT = "doctor_router_silent"
    ROUTER_NO_LINK = "doctor_router_no_link"
    UPS_NO_UPSD = "doctor_ups_no_upsd"
    UPS_UNKNOWN = "doctor_ups_unknown"
    UPS_STALE = "doctor_ups_stale"
    UPS_DRIVER = "doctor_ups_driver"
    UPS_NO_AGENT = "doctor_ups_no_agent"
    UPS_NO_MIB = "doctor_ups_no_mib"
    UPS_NO_BATTERY = "doctor_ups_no_battery"
    PHONE_NAME = "doctor_phone_name"
    PHONE_REFUSED = "doctor_phone_refused"
    PHONE_SILENT = "doctor_phone_silent"
    PHONE_TLS = "doctor_phone_tls"
    PHONE_CERTIFICATE = "doctor_phone_certificate"
    PHONE_NOT_SIP = "doctor_phone_not_sip"
    PHONE_CLOSED = "doctor_phone_closed"
    PHONE_UNREACHABLE = "doctor_phone_unreachable"
    PHONE_REJECTS = "doctor_phone_rejects"
    NOTHING_SET = "doctor_nothing_set"
    NEEDS_FIRST = "doctor_needs_first"
    DISK_WRITE = "doctor_disk_write"
    DISK_FULL = "doctor_disk_full"


class Finding(NamedTuple):
    """One line of the report. about: which of several. values: by name, for the places in the words of `because`."""

    subject: Subject
    about: str
    outcome: Outcome
    because: Because
    values: Mapping[str, str] = {}


def well(subject: Subject, about: str, seen: str) -> Finding:
    """Nothing wrong; `seen` is what speaks for that."""
    return Finding(subject, about, Outcome.OK, Because.SEEN, {"seen": seen})


def problem(subject: Subject, about: str, because: Because, **values: str) -> Finding:
    """Something to mend."""
    return Finding(subject, about, Outcome.PROBLEM, because, values)


def skipped(subject: Subject, about: str, because: Because = Because.NEEDS_FIRST) -> Finding:
    """Not looked at."""
    return Finding(subject, about, Outcome.SKIPPED, because)
