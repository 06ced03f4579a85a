"""The bundled problems and templates, in a checkout and in an installed package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from symgrad.errors import MachineError, ProblemError, near

_SUFFIXES = (".yaml", ".yml")


def problems_dir() -> Path:
    """The directory of the bundled problems."""
    return _data_dir("problems")


def templates_dir() -> Path:
    """The directory of the bundled templates."""
    return _data_dir("templates")


def bank_names() -> tuple[str, ...]:
    """The names of the bundled problems: their paths in the bank, without suffix."""
    return tuple(sorted(_bank()))


def find_problem(name_or_path: str | Path) -> Path:
    """The file of a problem: a path, or the name of a bundled one."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    bank = _bank()
    name = path.as_posix()
    if name in bank:
        return bank[name]
    alike = [known for known in bank if known.rpartition("/")[2] == name]
    if len(alike) == 1:
        return bank[alike[0]]
    suggestion = near(name, [*bank, *(known.rpartition("/")[2] for known in bank)])
    if path.suffix in _SUFFIXES or len(path.parts) > 1:
        suggestion = near(path.name, [p.name for p in _siblings(path)]) or suggestion
        missing = "this is a directory" if path.is_dir() else "there is no such file"
        message = f"{missing}, and no bundled problem of that name"
    else:
        message = "there is no bundled problem of that name, and no such file"
    raise ProblemError(f"{name}: {message}", suggestion=suggestion)


def _siblings(path: Path) -> list[Path]:
    return [p for p in path.parent.iterdir() if p.suffix in _SUFFIXES] if path.parent.is_dir() else []


def _bank() -> dict[str, Path]:
    root = problems_dir()
    return {
        path.relative_to(root).with_suffix("").as_posix(): path
        for path in root.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file()
    }


def _data_dir(name: str) -> Path:
    package = Path(str(files("symgrad")))
    installed, checkout = package / "_data" / name, package.parent / name
    if installed.is_dir():
        return installed
    if checkout.is_dir() and (package.parent / "pyproject.toml").is_file():
        return checkout
    raise MachineError(f"the bundled {name} are missing; install symgrad again")
