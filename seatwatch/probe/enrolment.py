"""`seatwatch probe enrol`, `renew` and `rollout`: processes that deal with the hub for this machine, and end."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent_probe.config import EnrolmentConfig, ProbeConfig, load_config
from agent_probe.enrolment.client import Door, EnrolmentRefused, Hub
from agent_probe.enrolment.enrolling import Enrolling, EnrolmentSettings, about_this_machine
from agent_probe.enrolment.identity import AUTHORITY_FILE, PAIR_FILE, Identity, identity_folder, read_identity
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.platform import Platform, current
from agent_probe.secret import read_secret
from seatwatch.settings import Defaults, load_defaults
from wire.enrolment import Refusal

VERBS: Final = ("enrol", "renew", "rollout")
LOST: Final = frozenset({Refusal.UNKNOWN_CODE, Refusal.REVOKED})
"""What the hub says to a certificate that it has forgotten, or gave this machine another one for."""
# Format: sysexits.h of BSD.
HELD: Final = 75
"""EX_TEMPFAIL of sysexits.h: not now, ask again later."""
EXAMPLES: Final = """\
examples:
  seatwatch probe enrol --config probe.toml --hub https://hub.example.com:8743 --pin FINGERPRINT --code CODE
  seatwatch probe renew --config probe.toml      the running probe does this by itself
  seatwatch probe rollout --config probe.toml    exit 0: may be changed to another version now; 75: its ring is stopped
"""


def run(verb: str, arguments: Sequence[str]) -> int:
    """One of VERBS. 0 done, 1 refused or not reached, 2 configured wrongly, HELD where a rollout is stopped."""
    parser = argparse.ArgumentParser(
        prog=f"seatwatch probe {verb}", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="the probe's TOML file")
    if verb == "enrol":
        parser.add_argument("--hub", metavar="URL", help="the hub's enrolment address; default: [enrolment] hub")
        parser.add_argument("--pin", metavar="HEX", help="fingerprint of the hub's authority; default: [enrolment] pin")
        parser.add_argument("--code", help="claim code or batch token; default: what [enrolment] token_file holds")
        parser.add_argument("--once", action="store_true", help="do not wait for approval or for the hub")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    try:
        return _deal(verb, options, load_config(options.config), current(), load_defaults())
    except ProbeConfigError as error:
        sys.stderr.write(f"{options.config}: {error}\n")
        return 2
    except (ProbeUnavailable, EnrolmentRefused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _deal(verb: str, options: argparse.Namespace, config: ProbeConfig, platform: Platform, defaults: Defaults) -> int:
    folder = identity_folder(config, platform)
    settings = EnrolmentSettings(defaults.ms("probe.enrolment_timeout"), defaults.ms("probe.enrolment_retry"))
    if verb == "rollout":
        return _ask_rollout(folder, settings)
    enrolling = Enrolling(
        folder,
        about_this_machine(config.site, platform.machine_id()),
        settings,
        say=_say,
        is_patient=verb == "enrol" and not options.once,
    )
    given = config.enrolment or EnrolmentConfig()
    if verb == "renew":
        identity = _renewed(enrolling, given, folder, platform.wall_ms())
    else:
        url, pin = _needed("--hub", options.hub or given.hub), _needed("--pin", options.pin or given.pin)
        identity = enrolling.enrol(url, pin, _needed("--code", options.code or _token(given)))
    sys.stdout.write(f"{identity.identity}: certificate kept in {folder}\n")
    return 0


def _renewed(enrolling: Enrolling, given: EnrolmentConfig, folder: Path, now: int) -> Identity:
    """The certificate after the present one; where the hub takes that no more, what a batch token brings back."""
    before = read_identity(folder)
    has_ended = before is not None and before.not_after <= now
    try:
        if not has_ended:
            return enrolling.renew()
    except EnrolmentRefused as refused:
        if not given.token_file or refused.refusal.error not in LOST:
            raise
    if not given.token_file:
        fix = "look at this machine's clock; if it is right, the hub's operator has a new code: seatwatch enrol claim"
        raise ProbeConfigError("data_dir", f"the certificate in {folder} has ended", fix)
    return enrolling.enrol(_needed("--hub", given.hub), _needed("--pin", given.pin), _needed("--code", _token(given)))


def _ask_rollout(folder: Path, settings: EnrolmentSettings) -> int:
    identity = read_identity(folder)
    if identity is None:
        raise ProbeConfigError("data_dir", "this machine is not enrolled", "enrol it: seatwatch probe enrol --help")
    authority = (folder / AUTHORITY_FILE).read_text(encoding="ascii")
    answer = Door(Hub.at(identity.hub), settings.timeout_ms / 1000).rollout(authority, folder / PAIR_FILE)
    sys.stdout.write(f"ring {answer.ring}: {'stopped' if answer.is_held else 'go'}\n")
    return HELD if answer.is_held else 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _token(given: EnrolmentConfig) -> str:
    try:
        return read_secret(given.token_file) if given.token_file else ""
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{given.token_file}: {getattr(error, 'strerror', None) or 'no text'}"
        raise ProbeConfigError("enrolment.token_file", problem, "name a file that holds the token alone") from None


def _needed(option: str, value: str) -> str:
    if not value:
        raise ProbeConfigError(option, "missing", "the hub's operator has it: seatwatch enrol claim, or batch")
    return value
