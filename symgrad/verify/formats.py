"""The formats of a marked answer; what makes them is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from symgrad.lazy import later

REPORTS: Final[Mapping[str, Callable[..., str]]] = MappingProxyType(
    {
        "text": later("symgrad.verify.report:text"),
        "json": later("symgrad.verify.report:json_text"),
        "md": later("symgrad.verify.report_page:markdown"),
        "html": later("symgrad.verify.report_page:html"),
        "tex": later("symgrad.verify.report_tex:tex"),
    }
)
