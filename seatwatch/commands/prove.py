"""`seatwatch prove`: proofs about a ledger as documents, and the check of such a document without any ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwatch.ending import refuse
from seatwatch.ledger_places import require_ledger

if TYPE_CHECKING:
    from ledger.checkpoint import Verifier
    from ledger.proofs import Document

EXAMPLES = """
Examples:

  seatwatch prove inclusion DATA/clients/acme 7 > entry-7.json         entry 7 is in the newest signed tree

  seatwatch prove consistency DATA/clients/acme 1200 > since.json      nothing in the first 1,200 entries was changed

  seatwatch prove verify entry-7.json --vkey-file acme.vkey            check it, with the key you were handed
"""
INCLUSION_EXAMPLES = """
Examples:

  seatwatch prove inclusion DATA/clients/acme 7                  in the newest signed tree

  seatwatch prove inclusion DATA/clients/acme 7 --with-entry     and what the entry says

  seatwatch prove inclusion DATA/clients/acme 7 --size 1200      in the tree of the first 1,200 entries
"""
CONSISTENCY_EXAMPLES = """
Examples:

  seatwatch prove consistency DATA/clients/acme 1200                from 1,200 entries to the newest signed tree

  seatwatch prove consistency DATA/clients/acme 1200 --size 5000    from 1,200 entries to 5,000
"""
VERIFY_EXAMPLES = """
Examples:

  seatwatch prove verify entry-7.json --vkey-file acme.vkey    signed with a key you were handed

  seatwatch prove verify entry-7.json --root 5f3a...           under a root you hold yourself

  seatwatch prove verify entry-7.json                          whole in itself; whose key it is, is not checked
"""

Ledger = Annotated[Path, typer.Argument(help="a ledger directory, or a copy of one", readable=False)]
TreeSize = Annotated[
    int | None, typer.Option("--size", min=1, help="entries of the tree; without it, the newest signed one")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Proofs about a ledger, and their check.", no_args_is_help=True, epilog=EXAMPLES)
    group.command("inclusion", epilog=INCLUSION_EXAMPLES)(inclusion)
    group.command("consistency", epilog=CONSISTENCY_EXAMPLES)(consistency)
    group.command("verify", epilog=VERIFY_EXAMPLES)(verify)
    app.add_typer(group, name="prove")


def inclusion(
    ledger: Ledger,
    index: Annotated[int, typer.Argument(help="the entry's index, from 0", min=0)],
    size: TreeSize = None,
    with_entry: Annotated[
        bool, typer.Option("--with-entry", help="show the entry itself, so that anybody can hash it to its leaf")
    ] = False,
) -> None:
    """Print a proof that entry INDEX is in the tree. Exit 0 printed, 1 the ledger cannot be read, 2 no such tree."""
    from ledger.proofs import prove_inclusion

    _print("inclusion", ledger, size, lambda size: prove_inclusion(ledger, index, size, with_entry=with_entry))


def consistency(
    ledger: Ledger,
    old_size: Annotated[int, typer.Argument(help="entries of the older tree, whose checkpoint somebody kept", min=1)],
    size: TreeSize = None,
) -> None:
    """Print a proof that the tree continues that of OLD_SIZE entries. Exit codes as for inclusion."""
    from ledger.proofs import prove_consistency

    _print("consistency", ledger, size, lambda size: prove_consistency(ledger, old_size, size))


def verify(
    file: Annotated[Path, typer.Argument(help="what inclusion or consistency printed", exists=True, dir_okay=False)],
    vkey_file: Annotated[
        Path | None, typer.Option(help="verifier keys you were handed, a line each", exists=True, dir_okay=False)
    ] = None,
    root: Annotated[list[str] | None, typer.Option(help="a root you hold yourself, in hex; may be repeated")] = None,
) -> None:
    """Check a proof without any ledger. Exit 0 when it holds, 1 when it does not, 2 when asked for wrongly."""
    from ledger.errors import ProofInvalid
    from ledger.proofs import Consistency, Trust, claimed_keys, read_document
    from ledger.proofs import verify as check

    handed = None if vkey_file is None else _verifiers(vkey_file)
    try:
        document = read_document(file.read_bytes())
        roots = frozenset(text.lower() for text in root or ())
        if handed is None and not roots:
            handed = claimed_keys(document)
        check(document, Trust(handed or (), roots))
    except ProofInvalid as error:
        typer.echo(f"{file}: does not hold: {error}", err=True)
        raise typer.Exit(1) from None
    if isinstance(document, Consistency):
        what = f"the tree of {document.size} entries continues that of {document.old_size}"
    else:
        shown = ", and says what is shown" if document.entry is not None else ""
        what = f"entry {document.index} is in the tree of {document.size} entries{shown}"
    typer.echo(f"{file}: holds. In ledger {document.ledger_id} {what}")
    if vkey_file is None and not roots:
        typer.echo("the key is the document's own; for evidence give the one you were handed: --vkey-file", err=True)


def _print(what: str, ledger: Path, size: int | None, prove: "Callable[[int], Document]") -> None:
    import msgspec

    from ledger.checkpoint import newest_signed
    from ledger.errors import LedgerError

    require_ledger(ledger, f"prove {what}")
    wanted = newest_signed(ledger) if size is None else size
    if wanted == 0:
        refuse(f"{ledger}: no checkpoint has been signed yet; name a tree with --size")
    try:
        document = prove(wanted)
    except ValueError as error:
        unsigned = "" if size is not None else "; that is the newest signed tree, --size names another one"
        refuse(f"{ledger}: {error}{unsigned}")
    except LedgerError as error:
        typer.echo(f"{ledger}: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(msgspec.json.format(msgspec.json.encode(document), indent=1).decode())
    if document.checkpoint is None:
        typer.echo(f"no checkpoint of {wanted} entries is kept: who checks this must hold its root already", err=True)


def _verifiers(file: Path) -> "list[Verifier]":
    from ledger.checkpoint import Verifier
    from ledger.errors import NoteInvalid

    try:
        keys = [Verifier(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (NoteInvalid, UnicodeDecodeError) as error:
        refuse(f"{file}: {error}")
    return keys
