"""Functions whose modules are imported when they are first called, so that a process loads only what it uses."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(place: str) -> Callable[..., Any]:
    """The function at ``package.module:name``."""
    module, name = place.split(":")

    def call(*args: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*args, **named)

    call.__name__ = call.__qualname__ = name
    return call
