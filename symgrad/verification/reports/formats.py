"""The formats of a marked answer; what makes them is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from symgrad.lazy import later

REPORTS: Final[Mapping[str, Callable[..., str]]] = MappingProxyType(
    {
        "text": later("symgrad.verification.reports.report:text"),
        "json": later("symgrad.verification.reports.report:json_text"),
        "md": later("symgrad.verification.reports.page:markdown"),
        "html": later("symgrad.verification.reports.page_html:html"),
        "tex": later("symgrad.verification.reports.page_tex:tex"),
    }
)
