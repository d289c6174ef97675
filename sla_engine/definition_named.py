"""A definition by how a person names it: NAME or NAME@VERSION of what the ledger holds or of a preset, or a file."""

from collections.abc import Sequence
from pathlib import Path

from sla_engine._core.definition import Definition, DefinitionError
from sla_engine.definition_files import load_definition, load_preset, preset_names


def definition_named(text: str, entered: Sequence[Definition]) -> Definition:
    """The definition that `text` means. entered: what the ledger holds, in order of entry; it comes before presets.

    Without a version: the one that came into force last. Raises DefinitionError that lists what there is, and OSError
    when a file cannot be read.
    """
    name, at, version = text.partition("@")
    presets = preset_names()
    for known in (entered, [load_preset(preset) for preset in presets]):
        fitting = [each for each in known if each.name == name and (not at or str(each.version) == version)]
        if fitting:
            return max(fitting, key=lambda each: (each.effective_from, each.version))
    if text in presets:
        return load_preset(text)
    if Path(text).is_file():
        return load_definition(Path(text))
    names = ", ".join(dict.fromkeys((*(f"{each.name}@{each.version}" for each in entered), *presets)))
    raise DefinitionError("definition", text, "no such definition and no file", f"name one of {names}, or a file")
