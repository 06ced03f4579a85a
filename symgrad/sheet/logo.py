"""The image in the head of a sheet: read once, checked, and handed to every format that can show it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from symgrad.errors import ProblemError, near
from symgrad.source import Source

LARGEST: Final = 4 << 20
_SAFE: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
_STARTS: Final[Mapping[str, tuple[str, tuple[bytes, ...]]]] = MappingProxyType(
    {
        ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
        ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
        ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
        ".svg": ("image/svg+xml", (b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg")),
    }
)
"""Of each kind of image, its media type and how its files begin."""


class Logo(Struct, frozen=True):
    """An image.

    Attributes:
        path: As its author wrote it, relative to the file that names it.
        data: What the file holds.
    """

    path: str
    data: bytes

    @property
    def suffix(self) -> str:
        """The kind of image, as the end of its name."""
        return Path(self.path).suffix.lower()

    @property
    def uri(self) -> str:
        """The image as a data URI."""
        return f"data:{_STARTS[self.suffix][0]};base64,{base64.b64encode(self.data).decode()}"


def read_logo(written: Source) -> Logo:
    """The image at a path that a problem or a file of settings names, in the folder of that file or below it.

    Raises:
        ProblemError: it is not there, or it is no image that every format can show.
    """
    path, place = written.text.strip(), written.place()
    if not _SAFE.fullmatch(path):
        raise ProblemError("a logo is a file beside this one or in a folder below, named by plain letters", place)
    file = Path(place.resolved().source.name).parent / path
    suffix = file.suffix.lower()
    if suffix not in _STARTS:
        raise ProblemError(f"a logo is one of {', '.join(_STARTS)}", place, near(suffix, _STARTS))
    try:
        data = file.read_bytes() if file.stat().st_size <= LARGEST else b""
    except OSError as error:
        raise ProblemError(f"the logo cannot be opened: {error.strerror or error}", place) from None
    if not data.lstrip().startswith(_STARTS[suffix][1]):
        raise ProblemError(f"this is no {suffix[1:].upper()} image of at most {LARGEST >> 20} MB", place)
    return Logo(path, data)
