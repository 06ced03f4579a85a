"""What runs under a sum or a product, and how far."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from symgrad.problem.names import Family, Member
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Keyword, Name, Number, Span, Subscript, Tree
from symgrad.tensor.integers import evaluate_int, symbols_of
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.naming import named
from symgrad.verification.meaning.readings import Adjoint, Defined

_LONGEST_RANGE: Final = 10_000


def ranges(tree: Call) -> list[Keyword]:
    """The settings of a call that say what runs, i = a..b."""
    return [k for k in tree.keywords if isinstance(k.value, Span)]


def runs(m: Interpretation, tree: Call, ints: Ints) -> Iterator[dict[str, int]]:
    """The values of the running indices, where the conditions hold.

    Raises:
        Outside: a range ends before it begins by more than one step.
    """
    conditions = tree.args[1:]
    names = [k.name.id for k in ranges(tree)]
    spans: list[range] = []
    for k in ranges(tree):
        span = k.value
        assert isinstance(span, Span)
        if span.lo is None or span.hi is None:
            lo, hi = _extent(m, tree, k.name.id, ints)
        else:
            lo, hi = index(m, span.lo, ints), index(m, span.hi, ints)
        falling = _falls(span)
        if (lo < hi - 1) if falling else (hi < lo - 1):
            raise Outside
        spans.append(range(lo, hi - 1, -1) if falling else range(lo, hi + 1))
    if np.prod([len(s) for s in spans], dtype=float) > _LONGEST_RANGE:
        raise Unclear("the range is too long")
    for chosen in itertools.product(*spans):
        inside = {**ints, **dict(zip(names, chosen, strict=True))}
        if all(_holds(m, c, inside) for c in conditions):
            yield inside


def _falls(span: Span) -> bool:
    """Whether a range is written from its end to its beginning, t down to k + 1 or T down to 1."""
    match span.lo, span.hi:
        case ((Name() | Binary(_, Name(), _)), (Number(value, _))) if value < 3:
            return not isinstance(span.lo, Binary) or span.lo.op == "-"
        case Name(), Binary("+", Name(), Number()):
            return True
        case Number(first, _), Number(last, _):
            return first > last + 1
    return False


def _holds(m: Interpretation, condition: Tree, ints: Ints) -> bool:
    value = m.value(condition, ints)
    if value.data.size != 1:
        raise Unclear("a condition on what runs compares integers")
    return bool(value.data.flat[0])


def _extent(m: Interpretation, tree: Call, name: str, ints: Ints) -> tuple[int, int]:
    """The range of an index that is not stated: that of the step or axis at which it stands."""
    for node in (x for part in tree.args for x in walk(part)):
        if not isinstance(node, Subscript):
            continue
        base: Tree = node.base
        items = list(node.items)
        while isinstance(base, Subscript):
            items = [*base.items, *items]
            base = base.base
        family = _family(m, base.id) if isinstance(base, Name) else None
        place = next((k for k, x in enumerate(items) if isinstance(x, Name) and x.id == name), None)
        if place is None or not isinstance(base, Name):
            continue
        if family is not None and place < family.arity:
            found = _step_range(m, family.members, place, ints)
            if found is not None:
                return found
            continue
        arity = family.arity if family is not None else 0
        if base.id not in m.names.families and _has_steps(m, base.id):
            continue
        whole = named(m, base, tuple(items[:arity]), ints)
        if place - arity < whole.order:
            low = m.names.index_base
            return low, whole.shape[place - arity] + low - 1
    for symbol, x in m.problem.steps.items():
        if symbol.name == name:
            sizes = m.world.numbers.sizes
            return evaluate_int(x.lo, sizes), evaluate_int(x.hi, sizes)
    raise Unclear(f"the range of {name!r} is not said")


def _family(m: Interpretation, name: str) -> Family | None:
    """The family of a name, or the one by which it is the derivative of the loss."""
    adjoint = next((x for x in m.notation.names.get(name, ()) if isinstance(x, Adjoint)), None)
    return m.names.families.get(name if adjoint is None else adjoint.family)


def _has_steps(m: Interpretation, name: str) -> bool:
    """Whether a name is the writer's own, with steps."""
    return any(isinstance(x, Defined) and x.pattern for x in m.notation.names.get(name, ()))


def _step_range(m: Interpretation, members: Sequence[Member], place: int, ints: Ints) -> tuple[int, int] | None:
    """The range of the step at a place; its ends may depend on other open indices, i ≤ t."""
    ranges = [x for member in members for x in member.ranges if member.pattern[place] == x.symbol]
    if not ranges and len(m.problem.steps) == 1:
        ranges = [*m.problem.steps.values()]
    for x in ranges:
        free = symbols_of(x.lo) | symbols_of(x.hi)
        known = {**{s: ints[s.name] for s in free if s.name in ints}, **m.world.numbers.sizes}
        if free <= known.keys():
            return evaluate_int(x.lo, known), evaluate_int(x.hi, known)
    return None
