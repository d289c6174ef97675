"""A definition by how a person names it: NAME or NAME@VERSION of what the ledger holds, a preset, or a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sla_engine._core.definition import Definition, DefinitionError
from sla_engine.definition_files import load_definition, load_preset, preset_names

FILE_SUFFIX: Final = ".toml"


def definition_named(text: str, entered: Sequence[Definition]) -> Definition:
    """The definition that `text` means. entered: what the ledger holds, in order of entry; it comes before presets.

    Without a version: the one that came into force last. Raises DefinitionError that lists what there is, and OSError
    when a file cannot be read.
    """
    if text.endswith(FILE_SUFFIX):
        return load_definition(Path(text))
    name, at, version = text.partition("@")
    published = [each for each in entered if each.name == name]
    if not published and name in preset_names():
        published = [load_preset(name)]
    fitting = [each for each in published if not at or str(each.version) == version]
    if fitting:
        return max(fitting, key=lambda each: (each.effective_from, each.version))
    known = dict.fromkeys(f"{each.name}@{each.version}" for each in entered)
    names = ", ".join((*known, *(preset for preset in preset_names() if preset not in {e.name for e in entered})))
    raise DefinitionError("definition", text, "no such definition", f"name one of {names}, or a {FILE_SUFFIX} file")
