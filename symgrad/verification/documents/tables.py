"""The tables of a document, cell by cell: rows between bars or tabs, `tabular` in TeX, `<table>` in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from symgrad.source import Source
from symgrad.verification.documents.claims import Table

_ROW: Final = re.compile(r"^[ \t]*\|(?:[^\n|]*\|)+[ \t]*$|^(?:[^\n\t]*\t){2,}[^\n]*$", re.MULTILINE)
_RULE: Final = re.compile(r"[\s|:-]*")
_BEGUN: Final = re.compile(
    r"\\begin\{(tabularx?|longtable)\*?\}(?:\[[^\]\n]*\])?(?:\{[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\})*"
)
_NO_CELL: Final = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|cline\{[^}]*\}|cmidrule(?:\([^)]*\))?\{[^}]*\})")
_HTML: Final = re.compile(r"<(/?)(table|tr|td|th)\b[^<>]*>", re.IGNORECASE)
_LONGEST: Final = 50_000

Row = tuple[Source, ...]


def tables_in(source: Source) -> Iterator[Table]:
    """Every table of a text that has two rows or more."""
    for found in (_between_bars, _in_tex, _in_html):
        for rows in found(source):
            if len(rows) > 1:
                yield Table(tuple(rows))


def _between_bars(source: Source) -> Iterator[list[Row]]:
    """Rows of cells between bars or tabs, one below the other."""
    rows: list[Row] = []
    end = 0
    for found in _ROW.finditer(source.text):
        between = source.text[end : found.start()]
        if between.strip() or between.count("\n") > 1:
            yield rows
            rows = []
        end = found.end()
        if not _RULE.fullmatch(found[0]):
            rows.append(_cells(source, found))
    yield rows


def _cells(source: Source, row: re.Match[str]) -> Row:
    sign = "|" if row[0].lstrip().startswith("|") else "\t"
    text, start = row[0], row.start()
    edges = [at for at, ch in enumerate(text) if ch == sign]
    if sign == "\t":
        edges = [-1, *edges, *([len(text)] if text[edges[-1] + 1 :].strip() else [])]
    return tuple(_trimmed(source, start + a + 1, start + z) for a, z in pairwise(edges))


def _trimmed(source: Source, start: int, end: int) -> Source:
    text = source.text[start:end]
    first = start + len(text) - len(text.lstrip())
    return source.part(first, max(first, start + len(text.rstrip())))


def _in_tex(source: Source) -> Iterator[list[Row]]:
    behind = 0
    for begun in _BEGUN.finditer(source.text):
        if begun.start() < behind:
            continue
        end = source.text.find(rf"\end{{{begun[1]}", begun.end())
        if end < 0:
            return
        behind = end
        if end - begun.end() <= _LONGEST:
            lines = re.split(r"(\\\\)", source.text[begun.end() : end])
            yield [row for row in _tex_rows(source, begun.end(), lines) if any(cell.text for cell in row)]


def _tex_rows(source: Source, at: int, lines: list[str]) -> Iterator[Row]:
    for line in lines:
        start = at
        at += len(line)
        if line == "\\\\":
            continue
        for ruled in _NO_CELL.finditer(line):
            start = max(start, at - len(line) + ruled.end()) if not line[: ruled.start()].strip() else start
        edges = [start - 1, *(start + x.start() for x in re.finditer(r"(?<!\\)&", source.text[start:at])), at]
        yield tuple(_trimmed(source, a + 1, z) for a, z in pairwise(edges))


def _in_html(source: Source) -> Iterator[list[Row]]:
    """Tables by one pass over their tags; what is left open ends where the next of its kind begins."""
    rows: list[list[Source]] = []
    opened: int | None = None
    for tag in _HTML.finditer(source.text):
        closes, name = bool(tag[1]), tag[2].lower()
        if opened is not None and rows:
            rows[-1].append(_trimmed(source, opened, tag.start()))
            opened = None
        if name == "table":
            yield [tuple(row) for row in rows if row]
            rows = []
        elif name == "tr" and not closes:
            rows.append([])
        elif name in ("td", "th") and not closes:
            opened = tag.end()
