"""Certificates, keys, tokens and passwords: readable by us, by nobody else, belonging together, still valid."""

import os
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent_probe._core.certificate import validity
from agent_probe.config import ProbeConfig, TlsConfig
from agent_probe.doctor.findings import Because, Finding, Subject, problem, skipped, well
from agent_probe.secret import read_secret

OTHERS: Final = stat.S_IRWXG & ~stat.S_IXGRP | stat.S_IRWXO
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def look_at_identity(config: ProbeConfig, now: int) -> list[Finding]:
    """Every identity that the configuration names. `now`: ms since the Unix epoch."""
    hub = config.hub
    secrets = {"broker.password_file": config.broker.password_file, "hub.token_file": hub.token_file if hub else ""}
    found = [finding for key, name in secrets.items() if name for finding in _secret(key, name)]
    for key, tls in (("broker.tls", config.broker.tls), ("hub.tls", hub.tls if hub else None)):
        if tls is not None and tls.cert_file:
            found.append(_certificate(key, tls, now))
    return found or [skipped(Subject.IDENTITY, "", Because.NOTHING_SET)]


def _secret(key: str, name: str) -> Iterator[Finding]:
    try:
        text = read_secret(name)
    except (OSError, UnicodeDecodeError) as error:
        yield problem(Subject.IDENTITY, key, Because.IDENTITY_UNREADABLE, error=_words(error, name))
        return
    if not text:
        yield problem(Subject.IDENTITY, key, Because.IDENTITY_UNREADABLE, error=name)
    elif _is_open(name):
        yield problem(Subject.IDENTITY, key, Because.IDENTITY_OPEN, file=name)
    else:
        yield well(Subject.IDENTITY, key, name)


def _certificate(key: str, tls: TlsConfig, now: int) -> Finding:
    try:
        pem = Path(tls.cert_file).read_text(encoding="ascii")
        Path(tls.key_file).read_bytes()
        first = pem[: pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
        valid = validity(ssl.PEM_cert_to_DER_cert(first[first.index(ssl.PEM_HEADER) :]))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(tls.cert_file, tls.key_file)
    except ssl.SSLError:
        return problem(Subject.IDENTITY, key, Because.IDENTITY_MISMATCH, file=tls.key_file)
    except (OSError, ValueError) as error:
        return problem(Subject.IDENTITY, key, Because.IDENTITY_UNREADABLE, error=_words(error, tls.cert_file))
    until = (EPOCH + timedelta(milliseconds=valid.until)).strftime("%Y-%m-%d %H:%M UTC")
    if not valid.since <= now <= valid.until:
        return problem(Subject.IDENTITY, key, Because.IDENTITY_EXPIRED, until=until)
    if _is_open(tls.key_file):
        return problem(Subject.IDENTITY, key, Because.IDENTITY_OPEN, file=tls.key_file)
    return well(Subject.IDENTITY, key, until)


def _is_open(name: str) -> bool:
    """Whether others than its owner may read or write it. Elsewhere than on POSIX the mode says nothing."""
    return os.name == "posix" and bool(Path(name).stat().st_mode & OTHERS)


def _words(error: Exception, name: str) -> str:
    return f"{name}: {error.strerror or error}" if isinstance(error, OSError) else f"{name}: {error}"
