"""Sizes read off the shapes of the arguments."""

from collections.abc import Iterable, Sequence

import sympy
from msgspec import Struct

from symgrad.codegen.integers_text import integer_source
from symgrad.codegen.model import Input
from symgrad.codegen.text import ATOM, PRODUCT
from symgrad.errors import QuestionError
from symgrad.tensor.integers import Int, difference, integer, lifted, symbols_of


class Dimension(Struct, frozen=True):
    """Axis ``axis`` of an argument has length ``size``."""

    argument: str
    axis: int
    size: Int


def dimensions(inputs: Iterable[Input]) -> list[Dimension]:
    """What every axis of every argument says."""
    out: list[Dimension] = []
    for i in inputs:
        ranges = {x.symbol: x for x in i.ranges}
        lead = [ranges[s].length for s in i.subs if s in ranges]
        out += [Dimension(i.argument, k, size) for k, size in enumerate((*lead, *i.node.shape))]
    return out


def size_lines(
    inputs: Sequence[Input], names: dict[sympy.Symbol, str], wanted: set[sympy.Symbol], given: set[sympy.Symbol]
) -> list[str]:
    """Statements that define the wanted sizes.

    Raises:
        QuestionError: no argument shows a size.
    """
    dims = dimensions(inputs)
    sources = _sources(dims, wanted, given)
    lines: list[str] = []
    done: set[sympy.Symbol] = set()
    for s, dim in sources:
        if s in done:
            continue
        whole = [d for d in dims if d.argument == dim.argument]
        together = [d.size for d in whole if (d.size, d) in sources]
        if len(together) == len(whole) > 1 and not done & set(together):
            lines.append(f"{', '.join(names[t] for t in together)} = {dim.argument}.shape")
            done |= set(together)
            continue
        lines.append(f"{names[s]} = {_solved(s, dim, names)}")
        done.add(s)
    return lines


def _sources(
    dims: list[Dimension], wanted: set[sympy.Symbol], given: set[sympy.Symbol]
) -> list[tuple[sympy.Symbol, Dimension]]:
    """For each wanted size the axis it is read from, in an order in which each needs only those before."""
    out: list[tuple[sympy.Symbol, Dimension]] = []
    missing = {s for s in wanted if s not in given}
    direct: dict[sympy.Symbol, Dimension] = {}
    for d in dims:
        if isinstance(d.size, sympy.Symbol):
            direct.setdefault(d.size, d)
    for d in dims:
        if d.size in missing and direct.get(d.size) is d:
            out.append((d.size, d))
            missing.discard(d.size)
    known = set(given) | {s for s, _ in out}
    while missing:
        found = _affine(dims, missing, known, set(direct))
        if found is None:
            raise QuestionError(f"no argument shows the size {sorted(s.name for s in missing)[0]}")
        s, d, also = found
        for extra in also:
            out.append((extra, direct[extra]))
            known.add(extra)
            missing.discard(extra)
        out.append((s, d))
        known.add(s)
        missing.discard(s)
    return out


def _affine(
    dims: list[Dimension], missing: set[sympy.Symbol], known: set[sympy.Symbol], direct: set[sympy.Symbol]
) -> tuple[sympy.Symbol, Dimension, list[sympy.Symbol]] | None:
    for s in sorted(missing, key=lambda s: str(s.name)):
        for d in dims:
            others = symbols_of(d.size) - {s}
            if _multiple(d.size, s) is not None and others <= known | direct:
                return s, d, sorted(others - known, key=lambda x: str(x.name))
    return None


def _solved(s: sympy.Symbol, d: Dimension, names: dict[sympy.Symbol, str]) -> str:
    shown = f"{d.argument}.shape[{d.axis}]"
    if d.size == s:
        return shown
    c = _multiple(d.size, s)
    assert c is not None
    stand_in = sympy.Symbol("shown", integer=True)
    rest = difference(stand_in, difference(d.size, c * s))
    if isinstance(c, int) and c < 0:
        c, rest = -c, difference(0, rest)
    resolve = {**names, stand_in: shown}
    text, level = integer_source(rest, lambda x: (resolve[x], ATOM))
    if c == 1:
        return text
    below, own = integer_source(c, lambda x: (resolve[x], ATOM))
    return f"{text if level >= PRODUCT else f'({text})'} // {below if own == ATOM else f'({below})'}"


def _multiple(size: Int, s: sympy.Symbol) -> Int | None:
    """c where size = c s + rest, both free of s."""
    if s not in symbols_of(size):
        return None
    expanded = sympy.expand(size)
    c = expanded.coeff(s)
    free = s not in lifted(c).free_symbols | (expanded - c * s).free_symbols
    return integer(c) if free and c != 0 else None
