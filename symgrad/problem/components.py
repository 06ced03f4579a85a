"""The range of a component's index that is not stated: as far as every index stays inside its axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from symgrad.errors import ProblemError
from symgrad.syntax.tree import Name
from symgrad.tensor.integers import Int, at_most, difference, integer, lifted, same, symbols_of
from symgrad.tensor.nodes import At, Binder, Build, Cut, Entry, Expr, Fold, Opaque
from symgrad.tensor.walk import postorder

_Bounds = Mapping[sympy.Symbol, tuple[Int, Int]]


def component_range(index: Name, symbol: sympy.Symbol, body: Expr, known: Sequence[Binder], base: int) -> Binder:
    """base..hi, where hi is the largest value for which all indices of entries in the body stay inside.

    Raises:
        ProblemError: nothing bounds the index, it could not begin at the base, or its range cannot be told.
    """
    upper: list[Int] = []
    for place, size, bounds in _places(body, {x.symbol: (x.lo, x.hi) for x in known}):
        if not _reaches(symbol, place, bounds):
            continue
        least, most = (_extreme(index, symbol, place, bounds, largest) for largest in (False, True))
        # 1 <= least and most <= size, each solved for the index.
        lows, highs = _solved(index, symbol, difference(1, least), difference(most, size))
        upper.extend(highs)
        for low in lows:
            if at_most(base + 1, low):
                message = f"{index.id!r} could only begin at {low}, but components begin at {base}"
                raise ProblemError(message, index.place)
    if not upper:
        message = f"nothing bounds {index.id!r}; state its range, {index.id}={base}..n, or declare it under steps"
        raise ProblemError(message, index.place)
    return Binder(symbol, base, _smallest(upper))


def _reaches(symbol: sympy.Symbol, place: Int, bounds: _Bounds) -> bool:
    """Whether a place depends on the symbol, itself or through the range of a bound index."""
    waiting, seen = set(symbols_of(place)), set[sympy.Symbol]()
    while waiting:
        found = waiting.pop()
        if found == symbol:
            return True
        seen.add(found)
        for end in bounds.get(found, ()):
            waiting |= symbols_of(end) - seen
    return False


def _solved(index: Name, symbol: sympy.Symbol, *excesses: Int) -> tuple[list[Int], list[Int]]:
    """The lower and upper ends of the symbol for which the excesses, affine in it, are at most 0."""
    lows: list[Int] = []
    highs: list[Int] = []
    for excess in excesses:
        factor = sympy.expand(excess).coeff(symbol)
        rest = difference(excess, factor * symbol)
        if symbol in symbols_of(rest) or symbol in factor.free_symbols:
            raise _undecided(index)
        if factor.is_positive:
            highs.append(_quotient(-rest, factor, sympy.floor))
        elif factor.is_negative:
            lows.append(_quotient(rest, -factor, sympy.ceiling))
        elif factor != 0:
            raise _undecided(index)
    return lows, highs


def _places(body: Expr, outer: _Bounds) -> Iterator[tuple[Int, Int, _Bounds]]:
    """Every integer index of an entry with the size of its axis and the ranges around it."""
    waiting: list[tuple[Expr, _Bounds]] = [(body, outer)]
    while waiting:
        root, bounds = waiting.pop()
        for node in postorder(root, into=lambda x: not isinstance(x, Fold | Build | Opaque)):
            match node:
                case Fold(binders=binders) | Build(binders=binders) | Opaque(binders=binders):
                    inner = {**bounds, **{x.symbol: (x.lo, x.hi) for x in binders}}
                    waiting.extend((child, inner) for child in node.children)
                case Entry(arg=arg, items=items):
                    for item, size in zip(items, arg.shape, strict=True):
                        match item:
                            case At(index=place):
                                yield place, size, bounds
                            case Cut(lo=lo, hi=hi):
                                yield lo, size, bounds
                                yield hi, size, bounds


def _extreme(index: Name, symbol: sympy.Symbol, place: Int, bounds: _Bounds, largest: bool) -> Int:
    """The largest or smallest place over all bound indices, innermost first."""
    value = sympy.expand(place)
    for bound in reversed(list(bounds)):
        if bound == symbol or bound not in value.free_symbols:
            continue
        factor = value.coeff(bound)
        if not (factor.is_positive or factor.is_negative) or bound in factor.free_symbols:
            raise _undecided(index)
        end = bounds[bound][int(bool(factor.is_positive) == largest)]
        value = sympy.expand(value.xreplace({bound: lifted(end)}))
    return integer(value)


def _quotient(top: Int, factor: sympy.Expr, rounding: type[sympy.Function]) -> Int:
    """top / factor rounded, with its whole part outside: ⌊(H − K)/s⌋ + 1."""
    whole = sympy.S.Zero
    rest = sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(lifted(top) / factor)):
        if term.is_integer:
            whole += term
        else:
            rest += term
    return integer(whole + rounding(sympy.together(rest)))


def _smallest(values: Sequence[Int]) -> Int:
    kept: list[Int] = []
    for value in values:
        if any(same(value, k) or at_most(k, value) for k in kept):
            continue
        kept = [k for k in kept if not at_most(value, k)] + [value]
    return kept[0] if len(kept) == 1 else sympy.Min(*kept)


def _undecided(index: Name) -> ProblemError:
    return ProblemError(f"the range of {index.id!r} cannot be found; state it, {index.id}=1..n", index.place)
