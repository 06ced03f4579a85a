"""A sheet as a PDF document: compiled from Typst, or from TeX where it is installed, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from symgrad.errors import InternalError, MachineError
from symgrad.sheet.document import Sheet
from symgrad.sheet.look import Look
from symgrad.sheet.render import render

Files: TypeAlias = Mapping[str, bytes]
_NO_FILES: Final[Files] = MappingProxyType({})
_SECONDS: Final = 90
_CHILD: Final = Path(__file__).with_name("typst_child.py")
_TEX_RUNS: Final = 3
_NO_NETWORK: Final = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
_TEX_LIMITS: Final = {"openin_any": "p", "openout_any": "p", "shell_escape": "f", "TEXMFOUTPUT": "."}
_TEX_PACKAGES: Final = "texlive-latex-recommended texlive-pictures lmodern"


def typeset(sheet: Sheet, look: Look) -> bytes:
    """The PDF of a sheet, by the engine that was chosen."""
    files = {} if sheet.logo is None else {sheet.logo.path: sheet.logo.data}
    if look.pdf_engine == "pdflatex":
        return tex_document(render(sheet, "tex", look), files)
    return typst_document(render(sheet, "typ", look), files=files)


def typst_document(source: str, format: str = "pdf", files: Files = _NO_FILES) -> bytes:
    """The document of a Typst source: a tagged PDF, the same bytes for the same source; or SVG, PNG.

    ``files`` are all that it may read, by their paths.

    Raises:
        InternalError: the source does not compile.
        MachineError: it takes too long.
    """
    return _child(source, format, "", files)


def typst_query(source: str, selector: str) -> list[Any]:
    """The values of the metadata that a selector finds in the document."""
    found: list[Any] = json.loads(_child(source, "", selector, _NO_FILES))
    return found


def _child(source: str, format: str, query: str, files: Files) -> bytes:
    with tempfile.TemporaryDirectory(prefix="symgrad-") as root:
        _put(files, Path(root))
        asked = {"source": source, "format": format, "query": query, "root": root}
        done = _run([sys.executable, "-I", str(_CHILD)], root, _NO_NETWORK, json.dumps(asked).encode())
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip() or f"Typst ended with code {done.returncode}"
        raise InternalError(f"the sheet does not compile: {message}")
    return done.stdout


def tex_document(source: str, files: Files = _NO_FILES) -> bytes:
    """The PDF of a TeX source by pdflatex, which may neither run programs nor read or write other files.

    ``files`` are all that it may read besides, by their paths.

    Raises:
        InternalError: the source does not compile.
        MachineError: pdflatex is not installed, or takes too long.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise MachineError(f"pdflatex is not installed; on Debian: apt install {_TEX_PACKAGES}")
    command = [program, "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "sheet.tex"]
    with tempfile.TemporaryDirectory(prefix="symgrad-") as root:
        folder = Path(root)
        _put(files, folder)
        (folder / "sheet.tex").write_text(source, encoding="utf-8")
        limits = {**_TEX_LIMITS, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
        for _ in range(_TEX_RUNS):
            done = _run(command, root, limits, b"")
            log = _text(folder / "sheet.log")
            if done.returncode:
                raise InternalError(f"pdflatex does not set the sheet: {_first_error(log, done)}")
            if "Rerun to get" not in log and "No file sheet.out" not in log:
                break
        return (folder / "sheet.pdf").read_bytes()


def _put(files: Files, folder: Path) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _first_error(log: str, done: subprocess.CompletedProcess[bytes]) -> str:
    lines = log.splitlines()
    first = next((k for k, line in enumerate(lines) if line.startswith("!")), None)
    if first is None:
        return done.stdout.decode(errors="replace").strip()[-500:]
    return "\n".join(lines[first : first + 4])


def _run(command: list[str], folder: str, extra: dict[str, str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **extra},
            input=stdin,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MachineError(f"{Path(command[0]).name} took more than {_SECONDS} seconds and was stopped") from None
    except OSError as error:
        raise MachineError(f"{command[0]} cannot be started: {error.strerror or error}") from None
