"""Marked answers for machines and for the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Counterexample, Judged
from symgrad.verification.marked import Marked

Style = Callable[[str, str], str]
"""A text in a colour, named as in ANSI; ``plain`` leaves it as it is."""

SIGNS: Final = {
    **dict.fromkeys((w.RIGHT, w.OTHER_LAYOUT, w.AS_SCALARS, w.TO_PRECISION, w.RIGHT_IF), "✓"),
    **dict.fromkeys((w.WRONG, w.SHAPE_ERROR), "✗"),
    w.CARRIED: "→",
    w.DEFINITION: "·",
    w.UNJUDGED: "?",
    w.UNREAD: "?",
}
COLOURS: Final = {
    w.RIGHT: "green",
    **dict.fromkeys((w.OTHER_LAYOUT, w.AS_SCALARS, w.TO_PRECISION, w.RIGHT_IF), "cyan"),
    **dict.fromkeys((w.WRONG, w.SHAPE_ERROR), "red"),
    w.CARRIED: "magenta",
    **dict.fromkeys((w.DEFINITION, w.UNJUDGED), "blue"),
    w.UNREAD: "yellow",
}
_WIDTH: Final = 88


def plain(text: str, colour: str) -> str:
    """The text as it is."""
    return text


def json_object(marked: Marked) -> dict[str, Any]:
    """A marked answer as JSON has it."""
    return {
        "document": marked.document,
        "problems": list(marked.problems),
        "claims": [_claim(c) for c in marked.claims],
        "summary": summary(marked),
    }


def json_text(marked: Marked) -> str:
    """A marked answer as JSON text."""
    return json.dumps(json_object(marked), ensure_ascii=False, indent=2) + "\n"


def summary(marked: Marked) -> dict[str, Any]:
    """How often each verdict was given, and the points."""
    points = marked.points
    return {
        "verdicts": marked.counts,
        "right": sum(c.good for c in marked.claims),
        "wrong": sum(c.bad for c in marked.claims),
        "unread": marked.counts.get(w.UNREAD, 0),
        "points": None if points is None else number(points),
    }


def _claim(c: Judged) -> dict[str, Any]:
    return {
        "line": c.place.line,
        "column": c.place.column,
        "latex": c.latex,
        "quantity": c.quantity,
        "question": c.question,
        "problem": c.problem,
        "verdict": c.verdict,
        "reason": c.reason,
        "diagnosis": c.diagnosis,
        "correction": c.correction,
        "counterexample": None if c.counterexample is None else _counterexample(c.counterexample),
        "points": None if c.points is None else number(c.points),
    }


def _counterexample(x: Counterexample) -> dict[str, Any]:
    return {"at": dict(x.at), "entry": list(x.entry), "expected": x.expected, "given": x.given}


def number(value: Fraction) -> int | float:
    """A number as JSON has it."""
    return int(value) if value.denominator == 1 else float(value)


def text(marked: Marked, style: Style = plain) -> str:
    """A marked answer for the terminal: one line for each statement, with the reason below it, and a summary."""
    lines: list[str] = []
    for c in marked.claims:
        where = f"{c.place.line}:{c.place.column}"
        head = f"{where:>9}  {style(f'{SIGNS[c.verdict]} {c.verdict:<16}', COLOURS[c.verdict])}  {shortened(c.latex)}"
        lines.append(head)
        lines += [f"{'':11}{note}" for note in notes(c)]
    return "\n".join([*lines, "", *summary_lines(marked), ""])


def notes(c: Judged) -> list[str]:
    """The reason, the diagnosis and the corrected line, each on a line of its own."""
    found = [c.reason, c.diagnosis, f"correct: {c.correction}" if c.correction else ""]
    return [note for note in found if note]


def summary_lines(marked: Marked) -> list[str]:
    """The verdicts counted, and the points."""
    counted = ", ".join(f"{n} {verdict}" for verdict, n in marked.counts.items()) or "nothing to judge"
    lines = [f"{marked.document}: {counted}"]
    if marked.points is not None:
        lines.append(f"points: {number(marked.points):g}")
    return lines


def shortened(latex: str, width: int = _WIDTH) -> str:
    """A formula on one line, cut where it is long."""
    flat = " ".join(latex.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
