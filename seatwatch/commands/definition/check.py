"""`seatwatch definition check`: whether definitions and contracts can be used, before anybody is judged by them."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from seatwatch.commands.definition._loading import DefinitionUnusable, load_rules
from seatwatch.refusals import phrase, speak

EXAMPLES = """
Examples:

  seatwatch definition check acme.toml

  seatwatch definition check acme.toml acme-contract.toml    a contract is known by its queues

  seatwatch definition check acme.toml --lang zh
"""


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("check", epilog=EXAMPLES)(check)


def check(
    files: Annotated[
        list[str], typer.Argument(help="files of definitions or contracts, or names of presets", metavar="FILE...")
    ],
    lang: Annotated[Literal["zh", "en"], typer.Option(help="language of the words")] = "en",
) -> None:
    """Name all that is wrong with each file: key, value, problem and fix. Exit 0 when all can be used, 2 when not."""
    from seatwatch.printed.teller import Teller
    from sla_engine._core.choices import LeftBeforeTarget, NobodyOnline, Unit
    from sla_engine._core.contract import Contract
    from sla_engine._core.definition import label_of
    from sla_engine._core.rules import SECOND_SEMANTICS

    speak(lang)
    tell = Teller(lang, ZoneInfo("UTC"))
    unusable = 0
    for file in files:
        try:
            rules = load_rules(file)
        except DefinitionUnusable as error:
            for problem in error.problems:
                said = (phrase(problem.problem), phrase(problem.fix))
                typer.echo(tell.filled("problem_told", key=problem.key, problem=said[0], fix=said[1]), err=True)
            unusable += 1
        else:
            name = tell.filled("check_contract", name=rules.name) if isinstance(rules, Contract) else label_of(rules)
            typer.echo(tell.filled("check_passed", file=file, found=f"{name} {rules.title}").rstrip())
            if isinstance(rules, Contract) or rules.unit is Unit.SESSION or rules.semantics >= SECOND_SEMANTICS:
                continue
            if (rules.left_before_target, rules.nobody_online) != (LeftBeforeTarget.AS_BREACH, NobodyOnline.MISS):
                typer.echo(tell.filled("check_note_turns", unit=rules.unit))
    if unusable:
        raise typer.Exit(2)
