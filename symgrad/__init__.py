"""symgrad: deep-learning derivations with every line checked.

``symgrad.load(path_or_text).solve()`` gives the answers to a problem's questions; see ``symgrad.api``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symgrad.api import Answer, ProblemHandle, Result, SolvedSheet, load, verify, verify_many

__version__ = "0.1.0"
__all__ = ["Answer", "ProblemHandle", "Result", "SolvedSheet", "__version__", "load", "verify", "verify_many"]


def __getattr__(name: str) -> Any:
    """The Python interface, imported when it is first used: it needs SymPy, which takes its time."""
    if name in __all__:
        return getattr(import_module("symgrad.api"), name)
    raise AttributeError(f"module 'symgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
