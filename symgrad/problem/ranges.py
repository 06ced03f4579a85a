"""Ranges behind an expression, `i=1..n, j=1..i, j != c`, and the other keywords of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.errors import ProblemError, near
from symgrad.problem.conditions import conditions
from symgrad.problem.indices import size_of
from symgrad.problem.scope import Scope
from symgrad.source import Place
from symgrad.syntax.tree import Call, Keyword, Span, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, at_most, difference, index_symbol, symbols_of
from symgrad.tensor.nodes import Binder, Expr, Rel


class Ranges(Struct, frozen=True):
    """Ranges, outermost first, with the scope inside them; ``backwards`` where the larger end stands first."""

    scope: Scope
    binders: tuple[Binder, ...]
    backwards: tuple[bool, ...]
    relations: tuple[Rel, ...]
    data: tuple[Expr, ...]


def split(tree: Call) -> tuple[tuple[Keyword, ...], dict[str, Tree]]:
    """The ranges among the keywords of a call, and its settings.

    Raises:
        ProblemError: a keyword stands there twice.
    """
    ranges: list[Keyword] = []
    settings: dict[str, Tree] = {}
    seen: set[str] = set()
    for keyword in tree.keywords:
        if keyword.name.id in seen:
            raise ProblemError(f"{keyword.name.id!r} stands here twice", keyword.name.place)
        seen.add(keyword.name.id)
        if isinstance(keyword.value, Span):
            ranges.append(keyword)
        else:
            settings[keyword.name.id] = keyword.value
    return tuple(ranges), settings


def only(tree: Call, settings: Mapping[str, Tree], known: Sequence[str]) -> None:
    """The settings of a call must be among the known ones.

    Raises:
        ProblemError: one is not.
    """
    for keyword in tree.keywords:
        name = keyword.name.id
        if name in settings and name not in known:
            hint = f"; it has {', '.join(known)}" if known else f"; a range is written {name}=lo..hi"
            raise ProblemError(f"{tree.func.id} has no setting {name!r}{hint}", keyword.name.place, near(name, known))


def bind(keywords: Sequence[Keyword], conds: Sequence[Tree], scope: Scope) -> Ranges:
    """The ranges of keywords, each of which may use those before it, and conditions under them.

    Raises:
        ProblemError: an index is a symbol of the problem, or an end is no integer.
    """
    binders: list[Binder] = []
    backwards: list[bool] = []
    for keyword in keywords:
        name, span = keyword.name.id, keyword.value
        check_index(name, keyword.name.place, scope)
        lo, hi = span_ends(span, scope)
        turned = descends(lo, hi, scope)
        symbol = index_symbol(name)
        binders.append(Binder(symbol, *((hi, lo) if turned else (lo, hi))))
        backwards.append(turned)
        scope = scope.binding({name: symbol})
    relations, data = conditions(conds, scope)
    return Ranges(scope, tuple(binders), tuple(backwards), relations, data)


def check_index(name: str, place: Place, scope: Scope) -> None:
    """An index that a range binds is no symbol of the problem."""
    kind = scope.names.kinds.get(name)
    if kind is not None and kind[0] not in ("step", "index"):
        message = f"{name!r} is an index here and a {kind[0]} in line {kind[1].line}"
        raise ProblemError(message, place)


def span_ends(span: Tree, scope: Scope) -> tuple[Int, Int]:
    """The two ends of a range, as they are written."""
    if not isinstance(span, Span) or span.lo is None or span.hi is None:
        raise ProblemError("a range is needed here, such as 1..3", span.place)
    return size_of(span.lo, scope), size_of(span.hi, scope)


def descends(lo: Int, hi: Int, scope: Scope) -> bool:
    """Whether the first end is the larger one, as in `t..k+1`.

    Where neither the ends nor what is given decide, the end that is one more than an index is the lower one.
    """
    gap = difference(hi, lo)
    if isinstance(gap, int):
        return gap < -1
    if at_most(lo, hi + 1):
        return False
    if at_most(hi, lo):
        return True
    for r in scope.given:
        room = b.slack(r)
        if room is not None and at_most(room, difference(hi, lo)):
            return False
        if room is not None and at_most(room, difference(lo, hi)):
            return True
    return _offset(hi) > _offset(lo) and _only_indices(lo, scope) and _only_indices(hi, scope)


def _offset(value: Int) -> int:
    return value if isinstance(value, int) else int(sympy.floor(value.as_coeff_Add()[0]))


def _only_indices(value: Int, scope: Scope) -> bool:
    symbols = symbols_of(value)
    return bool(symbols) and not any(s in scope.names.sizes.values() for s in symbols)
