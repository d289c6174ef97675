"""Leaves modules that other people's code imports, and a daemon hardly ever reaches, unread until they are first used.

importlib's own LazyLoader will not do: it reads a module as soon as a second one imports it.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import Loader


class _UnreadLoader:
    """Makes a module that reads itself by `loader` at the first look at a name that is not in `meanwhile`."""

    def __init__(self, loader: "Loader", meanwhile: Mapping[str, object]) -> None:
        self._loader = loader
        self._meanwhile = meanwhile
        self._lock = RLock()
        self._is_reading = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def on_first_use(name: str) -> object:
            if not name.startswith("__"):  # for those tools look in any module
                self._read(module)
            try:
                return vars(module)[name]
            except KeyError:
                raise AttributeError(name, name=name, obj=module) from None

        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        vars(module).update(self._meanwhile, __getattr__=on_first_use)

    def _read(self, module: ModuleType) -> None:
        with self._lock:  # a thread that looks while another one reads waits for the whole of it
            if self._is_reading or "__getattr__" not in vars(module):
                return
            self._is_reading = True
            try:
                self._loader.exec_module(module)
            finally:
                self._is_reading = False
            del module.__getattr__


class _Finder:
    def __init__(self, unread: Mapping[str, Mapping[str, object]]) -> None:
        self._unread = unread

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in self._unread else None
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _UnreadLoader(spec.loader, self._unread[name]))
        return spec


@contextmanager
def loaded_on_first_use(unread: Mapping[str, Mapping[str, object]]) -> Iterator[None]:
    """In the block, an import of one of these modules binds it and reads it at the first look at one of its names.

    unread: by each module's name, what can be looked at without reading it. A module that was loaded before stays.
    """
    finder = _Finder(unread)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
