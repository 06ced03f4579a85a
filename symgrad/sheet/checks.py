"""The sentence under an answer that says what was checked, where, and how well it agreed."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from symgrad.derivation.steps import Check, Derivation, lines
from symgrad.notation.tree import Infix, Number, Prefix, Script, Tree
from symgrad.sheet.document import Words
from symgrad.sheet.words import joined

_OWN: Final = frozenset({"complex step", "evaluation"})
"""Kinds in which the sides of a line are compared with each other; all others are independent oracles."""


def all_checks(derivation: Derivation) -> tuple[Check, ...]:
    """Every check of an answer, those of its lines included, each once."""
    found: dict[int, Check] = {}
    for result in derivation.results:
        for check in (*(x.check for x in lines(result.blocks)), *result.checks):
            found.setdefault(id(check), check)
    return tuple(found.values())


def check_rows(derivation: Derivation) -> list[tuple[str, ...]]:
    """Question, kind, largest error, points and result of each kind of check in an answer."""
    if derivation.status != "certified":
        return [(derivation.id, derivation.message or "prose", "", "", derivation.status)]
    kinds: dict[str, list[Check]] = {}
    for c in all_checks(derivation):
        kinds.setdefault(c.kind, []).append(c)
    return [
        (
            derivation.id,
            kind,
            f"{_worst(group):.0e}",
            f"{max(c.points for c in group)} x {max(c.sizes for c in group)}",
            "ok" if all(c.ok for c in group) else "failed",
        )
        for kind, group in kinds.items()
    ]


def sentence(checks: Sequence[Check]) -> Words:
    """Checked at 5 random points and 3 sizes; largest relative error 2·10⁻¹⁴; agrees with … to 3·10⁻⁹."""
    own = [c for c in checks if c.kind in _OWN]
    others: dict[str, list[Check]] = {}
    for c in checks:
        if c.kind not in _OWN:
            others.setdefault(c.kind, []).append(c)
    clauses: list[Words] = []
    if own:
        clauses.append(("Checked ", *_where(own), "; largest relative error ", number(_worst(own))))
    clauses += [_agrees(kind, group, not own and not k) for k, (kind, group) in enumerate(others.items())]
    if not clauses:
        return ()
    pieces: list[str | Tree] = []
    for k, clause in enumerate(clauses):
        pieces += ["; " if k else "", *clause]
    return joined([*pieces, "."])


def _agrees(kind: str, group: Sequence[Check], first: bool) -> Words:
    verb = "Agrees" if first else "agrees"
    where: Words = (" ", *_where(group)) if first and max(c.points for c in group) else ()
    if kind == "exact":
        return ("Checked exactly" if first else "and exactly in fractions",)
    if kind.startswith("agrees"):
        return (kind if not first else kind.capitalize(),)
    if not _worst(group):
        return (f"{verb} with {kind}", *where, " to the last digit")
    return (f"{verb} with {kind}", *where, " to ", number(_worst(group)))


def _where(group: Iterable[Check]) -> Words:
    checks = list(group)
    points, sizes = max(c.points for c in checks), max(c.sizes for c in checks)
    words = f"at {points} random point{'s' * (points != 1)}"
    return (words + (f" and {sizes} sizes" if sizes > 1 else ""),)


def _worst(group: Iterable[Check]) -> float:
    return max(c.max_rel_error for c in group)


def number(value: float) -> Tree:
    """A small number to one digit, 2·10⁻¹⁴."""
    if value == 0 or not math.isfinite(value):
        return Number("0" if value == 0 else "?")
    exponent = math.floor(math.log10(value))
    digit = round(value / 10**exponent)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    if -2 <= exponent <= 0:
        return Number(f"{value:.1g}")
    power = Number(str(exponent)) if exponent >= 0 else Prefix("minus", Number(str(-exponent)))
    ten = Script(Number("10"), None, power)
    return ten if digit == 1 else Infix((Number(str(digit)), ten), ("cdot",))
