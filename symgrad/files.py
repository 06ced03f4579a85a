"""Files written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from symgrad.errors import MachineError


def write(content: str | bytes, path: Path) -> None:
    """The text or the bytes in a file: all of them, or the file stays as it was."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        raise MachineError(f"{path}: cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
