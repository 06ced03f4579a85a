"""Answers for machines: what was asked, the results with every step and check, in JSON."""

import json
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symgrad.derivation import exact
from symgrad.derivation.steps import Check, Derivation, Introduced, Line, Result, lines
from symgrad.derivation.valued import closed
from symgrad.notation.integers import integer_source
from symgrad.notation.latex import latex
from symgrad.notation.source import source
from symgrad.notation.tree import Infix
from symgrad.problem.model import Problem
from symgrad.sheet.reading import Reading
from symgrad.sheet.words import as_tree, in_one
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Expr


def json_text(problem: Problem, derivations: Iterable[Derivation], layout: str | None = None) -> str:
    """The answers as JSON text."""
    return json.dumps(json_object(problem, derivations, layout), ensure_ascii=False, indent=2) + "\n"


def json_object(problem: Problem, derivations: Iterable[Derivation], layout: str | None = None) -> dict[str, Any]:
    """The answers as JSON has them: objects, arrays, numbers, texts."""
    reading = Reading.of(problem, layout)
    return {
        "problem": problem.name,
        "questions": [_question(d, reading.answering(problem.question(d.id))) for d in derivations],
    }


def _question(d: Derivation, reading: Reading) -> dict[str, Any]:
    out: dict[str, Any] = {
        "id": d.id,
        "ask": d.ask,
        "status": d.status,
        "message": d.message,
        "results": [_result(r, d.ask, reading) for r in d.results],
    }
    return out | ({"text": d.text} if d.text else {})


def _result(r: Result, ask: str, reading: Reading) -> dict[str, Any]:
    number = float_value(_closed(r.extra.get("value")) if r.number is None else r.number)
    value = exact_value(r.exact)
    if ask == "shape" and value is None:
        value = [_size(s) for s in r.shape]
    return {
        "of": r.of,
        "wrt": r.wrt,
        "latex": result_latex(r, ask, reading),
        "text": result_text(r, ask, reading),
        "shape": [_size(s) for s in r.shape],
        "value": value,
        "float": number,
        "where": [_introduced(x, reading) for x in r.where],
        "steps": [_step(x, reading) for x in lines(r.blocks)],
        "checks": [_check(c) for c in r.checks],
        **{key: exact_value(x) for key, x in r.extra.items()},
    }


def result_text(r: Result, ask: str, reading: Reading) -> str:
    """The value of a result in the problem language; what has no expression, such as a shape, as it is in JSON."""
    at = r.extra.get("at")
    if isinstance(at, dict):
        return ", ".join(f"{name} == {source(x, reading.index_base)}" for name, x in at.items())
    if r.value is not None:
        return source(r.value, reading.index_base)
    if ask == "shape":
        return f"({', '.join(str(_size(s)) for s in r.shape)}{',' * (len(r.shape) == 1)})"
    return "" if r.exact is None else _written(exact_value(r.exact))


def _written(value: Any) -> str:
    """A JSON value without quotation marks: [1/7, 0]."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def result_latex(r: Result, ask: str, reading: Reading) -> str:
    """The value of a result in LaTeX; of a shape, its sizes."""
    if ask == "shape":
        return latex(reading.sizes(r.shape))
    if r.left is None and r.value is not None and not (isinstance(r.exact, int) and not isinstance(r.exact, bool)):
        return latex(reading.statement(r.value))
    if r.exact is not None or r.value is None:
        return "" if r.number is None else latex(reading.exact(r.number))
    return latex(reading.side(r.value, r.left or r.value))


def _closed(value: Any) -> Any:
    return closed(value) if isinstance(value, Expr) else None


def _introduced(x: Introduced, reading: Reading) -> dict[str, str]:
    return {
        "name": latex(reading.math(x.name)),
        "latex": latex(reading.math(x.body)),
        "text": source(x.body, reading.index_base),
    }


def line_latex(line: Line, reading: Reading) -> str:
    """A line of a derivation in LaTeX."""
    read = reading.statement if line.relation == "iff" else lambda x: reading.side(x, line.left)
    sides = tuple(read(x) for x in (line.left, *line.right))
    return latex(Infix(sides, (line.relation,) * (len(sides) - 1)))


def reason_text(line: Line, reading: Reading) -> str:
    """Why a line holds, with its formulas between dollar signs."""
    return "".join(w if isinstance(w, str) else f"${latex(w)}$" for w in reading.words(line.reason))


def _step(line: Line, reading: Reading) -> dict[str, Any]:
    where = reading.ranges(line.ranges, (line.left, *line.right))
    return {
        "latex": line_latex(line, reading),
        "rule": line.rule,
        "reason": reason_text(line, reading),
        "check": _check(line.check),
        **({"for": latex(as_tree(in_one(where)))} if where else {}),
    }


def _check(c: Check) -> dict[str, Any]:
    return {"kind": c.kind, "max_rel_error": c.max_rel_error, "points": c.points, "ok": c.ok}


def _size(size: Int) -> int | str:
    return size if isinstance(size, int) else integer_source(size)


def exact_value(value: Any) -> Any:
    """An exact value in JSON: a number, "58/77", a nested list, a boolean, or an expression such as "log(4)"."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Fraction():
            return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
        case sympy.Integer():
            return int(value)
        case sympy.Rational():
            return f"{value.p}/{value.q}"
        case Expr():
            found = closed(value)
            return source(value) if found is None or not exact.is_exact(found) else exact_value(exact.plain(found))
        case dict():
            return {str(k): exact_value(v) for k, v in value.items()}
        case set() | frozenset():
            return [exact_value(v) for v in sorted(value, key=str)]
        case np.ndarray() | np.generic():
            return exact_value(value.tolist())
        case Sequence():
            return [exact_value(v) for v in value]
    if value in (sympy.true, sympy.false):
        return bool(value)
    return str(value)


def float_value(value: Any) -> Any:
    """An exact number, or array of them, as floating-point numbers; None for anything else."""
    match value:
        case None | bool() | str() | Expr() | dict():
            return None
        case int() | float() | Fraction():
            number = float(value)
            return number if math.isfinite(number) else None
        case np.ndarray() | np.generic():
            return float_value(value.tolist())
        case sympy.Basic():
            return _sympy_float(value)
        case Sequence():
            items = [float_value(v) for v in value]
            return None if any(v is None for v in items) else items
    return None


def _sympy_float(value: sympy.Basic) -> float | None:
    number = sympy.N(value)
    if not (number.is_number and number.is_real and number.is_finite):
        return None
    return float(number)
