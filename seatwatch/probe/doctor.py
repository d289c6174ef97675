"""`seatwatch probe doctor`: one line for each thing a probe depends on, and how to mend what is wrong."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Final, cast

from agent_probe.config import load_config
from agent_probe.doctor.door import KnownDoor, known_door
from agent_probe.doctor.examination import DoctorSettings, examine
from agent_probe.doctor.findings import Finding, Outcome
from agent_probe.enrolment.identity import with_identity
from agent_probe.errors import ProbeConfigError
from agent_probe.platform import current
from seatwatch.glossary import Language, words
from seatwatch.probe.settings import probe_settings
from seatwatch.settings import load_defaults

PREFIX: Final = "doctor_"
EXAMPLES: Final = """\
examples:
  seatwatch probe doctor --config probe.toml              as the user the service runs as
  seatwatch probe doctor --config probe.toml --lang zh
  seatwatch probe doctor --config probe.toml --json       one object a line, for a rollout's own checks

exit code: 0 nothing to mend, 1 something, 2 the configuration cannot be used
"""


def run(arguments: Sequence[str]) -> int:
    """The command. Returns 0, 1 or 2, as the help says."""
    parser = argparse.ArgumentParser(
        prog="seatwatch probe doctor",
        description="Look at everything this probe depends on, and say what mends what is wrong.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="TOML, see docs/operate/probe.md")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of the words")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    defaults, platform = load_defaults(), current()
    doctor = DoctorSettings(defaults.ms("probe.doctor_clock"), defaults.ms("probe.doctor_listen"))
    door: KnownDoor | None = None
    try:
        config = load_config(options.config)
        door = known_door(config, platform)
        if door is None or door.authority:  # else it is not enrolled, which is what the doctor is asked about
            config = with_identity(config, platform)
    except ProbeConfigError as error:
        sys.stderr.write(f"{options.config}: {error}\n")
        return 2
    with asyncio.Runner(loop_factory=platform.new_event_loop) as runner:
        findings = runner.run(examine(config, probe_settings(defaults), doctor, platform, door=door))
    language = cast("Language", options.lang)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console of another code page must not end the report
    for finding in findings:
        sys.stdout.write((_as_json(finding, language) if options.json else _as_line(finding, language)) + "\n")
    return 1 if any(finding.outcome is Outcome.PROBLEM for finding in findings) else 0


def _as_line(finding: Finding, language: Language) -> str:
    table = words()
    head = f"{table[finding.outcome].text(language)}  {table[finding.subject].text(language)}"
    return (
        f"{head}  {finding.about}: {_text(finding, language)}"
        if finding.about
        else f"{head}: {_text(finding, language)}"
    )


def _as_json(finding: Finding, language: Language) -> str:
    said = {
        "subject": finding.subject.removeprefix(PREFIX),
        "about": finding.about,
        "outcome": finding.outcome.removeprefix(PREFIX),
        "because": finding.because.removeprefix(PREFIX),
        "text": _text(finding, language),
        "values": dict(finding.values),
    }
    return json.dumps(said, ensure_ascii=False)


def _text(finding: Finding, language: Language) -> str:
    return words()[finding.because].text(language).format(**finding.values)
