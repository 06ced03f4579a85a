"""Sizes, steps and indices as trees: t−1, 2k+1, ⌊(H+2P−K)/S⌋+1, min(T, t+k).

Terms with a plus come first, each kind by its letters, and numbers last, as the field writes them.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import sympy
from msgspec import Struct

from symgrad.errors import InternalError
from symgrad.notation import precedence as level
from symgrad.notation.tree import Fenced, Frac, Func, Infix, Number, OpName, Prefix, Row, Script, Sym, Tree, Verbatim
from symgrad.tensor.integers import Int

SymbolTree = Callable[[sympy.Symbol], Tree]


class Piece(Struct, frozen=True):
    """A tree and how tightly it holds together."""

    tree: Tree
    level: int


def bracketed(piece: Piece, needed: int) -> Tree:
    """The tree, in brackets where its place needs a tighter one."""
    tree = piece.tree
    if piece.level >= needed:
        return tree
    if isinstance(tree, Func) and tree.bare:
        return Func(tree.name, tree.args)
    return Fenced(tree)


def by(sizes: Sequence[Piece]) -> Tree:
    """n × (m + 1): the sizes of an array, each in brackets where it is a sum."""
    if len(sizes) == 1:
        return sizes[0].tree
    return Infix(tuple(bracketed(s, level.HADAMARD) for s in sizes), ("times",) * (len(sizes) - 1))


def integer_piece(value: Int, symbol: SymbolTree, inline: bool = False) -> Piece:
    """An integer expression; inline writes quotients with a slash, for scripts and fences."""
    if isinstance(value, int):
        return _number(value)
    return _expression(value, symbol, inline)


def _number(value: int) -> Piece:
    if value < 0:
        return Piece(Prefix("minus", Number(str(-value))), level.SUM)
    return Piece(Number(str(value)), level.ATOM)


def _has_quotient(value: sympy.Expr) -> bool:
    """Whether a sum or product has a fraction or a negative power in it."""
    if not isinstance(value, sympy.Add | sympy.Mul):
        return False
    return any(
        (x.is_Rational and not x.is_Integer) or (x.is_Pow and x.exp.could_extract_minus_sign()) or _has_quotient(x)
        for x in value.args
    )


def _expression(value: sympy.Expr, symbol: SymbolTree, inline: bool) -> Piece:
    if isinstance(value, sympy.Symbol):
        return Piece(symbol(value), level.ATOM)
    if value.is_Integer:
        return _number(int(value))
    if value in (sympy.oo, -sympy.oo):
        infinity = Sym("infinity")
        return Piece(infinity, level.ATOM) if value == sympy.oo else Piece(Prefix("minus", infinity), level.SUM)
    top, bottom = sympy.fraction(sympy.together(value)) if _has_quotient(value) else (value, 1)
    if bottom != 1:
        return _quotient(top, bottom, symbol, inline)
    match value:
        case sympy.Rational():
            return _quotient(sympy.Integer(value.p), sympy.Integer(value.q), symbol, inline)
        case sympy.Add():
            return _sum(value, symbol, inline)
        case sympy.Mul():
            return _product(value, symbol, inline)
        case sympy.Pow():
            base = bracketed(_expression(value.base, symbol, inline), level.ATOM)
            return Piece(Script(base, None, _expression(value.exp, symbol, True).tree), level.SCRIPTED)
        case sympy.Function() | sympy.Min() | sympy.Max():
            return _function(value, symbol)
    return Piece(OpName(str(value)), level.ATOM)


def _quotient(top: sympy.Expr, bottom: sympy.Expr, symbol: SymbolTree, inline: bool) -> Piece:
    if top.could_extract_minus_sign() and not isinstance(top, sympy.Add):
        inner = _quotient(-top, bottom, symbol, inline)
        return Piece(Prefix("minus", inner.tree), level.SUM)
    above, below = _expression(top, symbol, inline), _expression(bottom, symbol, inline)
    if not inline:
        return Piece(Frac(above.tree, below.tree), level.FACTOR)
    row = Row((bracketed(above, level.PRODUCT), Sym("slash"), bracketed(below, level.FACTOR)))
    return Piece(row, level.HADAMARD)


def _letters(term: sympy.Expr) -> tuple[str, ...]:
    return tuple(sorted(s.name for s in term.free_symbols))


def _sum(value: sympy.Add, symbol: SymbolTree, inline: bool) -> Piece:
    steps = _steps(value)
    rest = sympy.Add(value, *(a for a, _ in steps.values()))
    terms = _ordered(rest) if isinstance(rest, sympy.Add) else (rest,)
    return signed_sum([_step(*steps[t], symbol, inline) if t in steps else _signed(t, symbol, inline) for t in terms])


@lru_cache(maxsize=4096)
def _steps(value: sympy.Add) -> dict[sympy.Expr, tuple[sympy.Expr, sympy.Symbol]]:
    """The terms a r of indices r that are steps from the first place, by what they are in a (r − 1).

    k + 2r − 2 is k + 2 (r − 1), and S r + k − S is S (r − 1) + k: SymPy multiplies out what was written so.
    """
    found = {t: z for t in value.args if (z := _stride(t)) is not None}
    constant, _ = value.as_coeff_Add()
    numbers = {t: z for t, z in found.items() if z[0].is_Number}
    others = {t: z for t, z in found.items() if not z[0].is_Number and -z[0] in value.args}
    beside = len(value.args) - (constant != 0) - len(numbers) - 2 * len(others)
    left = constant + sum(a for a, _ in numbers.values())
    several = len(found) > 1
    counted = (left == 0 and (beside or several)) or (left == 1 and several and not beside)
    return {**(numbers if counted else {}), **others}


def _stride(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Symbol] | None:
    """A term as a number of places times an index; sizes are positive, indices are not known to be."""
    indices = [s for s in term.free_symbols if isinstance(s, sympy.Symbol) and not s.is_positive]
    if len(indices) != 1:
        return None
    (index,) = indices
    places = term / index
    return None if index in places.free_symbols or places in (1, -1) else (places, index)


def _step(places: sympy.Expr, index: sympy.Symbol, symbol: SymbolTree, inline: bool) -> tuple[bool, Tree]:
    """a (r − 1), and whether it is subtracted."""
    minus = bool(places.could_extract_minus_sign())
    stride = bracketed(_expression(-places if minus else places, symbol, inline), level.FACTOR)
    from_first = signed_sum([(False, symbol(index)), (True, Number("1"))])
    return minus, Row((stride, bracketed(from_first, level.FACTOR)))


@lru_cache(maxsize=4096)
def _ordered(value: sympy.Add) -> tuple[sympy.Expr, ...]:
    """The terms of a sum in the order of writing."""
    terms = sorted(
        value.args,
        key=lambda t: (t.is_Number, t.could_extract_minus_sign(), -sympy.total_degree(t) if t.is_polynomial() else 0,
                       _letters(t), str(t)),
    )  # fmt: skip
    if terms[0].could_extract_minus_sign() and not terms[-1].could_extract_minus_sign():
        terms = [terms[-1], *terms[:-1]]
    return tuple(terms)


def _fit(value: sympy.Expr, symbol: SymbolTree) -> Tree:
    """What is rounded, as sizes of layers are written: (H + 2P − D(K − 1) − 1)/S."""
    top, bottom = sympy.fraction(sympy.together(sympy.expand(value)))
    if not isinstance(top, sympy.Add):
        return _expression(value, symbol, True).tree
    above = signed_sum([_signed(t, symbol, True) for t in _taken_off(top)])
    if bottom == 1:
        return above.tree
    below = _expression(bottom, symbol, True)
    return Row((bracketed(above, level.PRODUCT), Sym("slash"), bracketed(below, level.FACTOR)))


@lru_cache(maxsize=4096)
def _taken_off(value: sympy.Add) -> tuple[sympy.Expr, ...]:
    """The terms of a sum, D − D K as −D (K − 1) where something is left to take it from."""
    terms = list(value.args)
    for s in [t for t in terms if isinstance(t, sympy.Symbol)]:
        whole = next((t for t in terms if t.could_extract_minus_sign() and (t / s).is_polynomial() and t != -s), None)
        if whole is not None and any(t is not s and not t.could_extract_minus_sign() for t in terms):
            terms = [t for t in terms if t is not s and t is not whole]
            terms.append(-s * (-whole / s - 1))
    plain = [t for t in terms if isinstance(t, sympy.Symbol)]
    rest = [t for t in _ordered(sympy.Add(*terms, evaluate=False)) if t not in plain] if len(terms) > 1 else terms
    return (*sorted(plain, key=str), *rest)


def _signed(term: sympy.Expr, symbol: SymbolTree, inline: bool) -> tuple[bool, Tree]:
    minus = bool(term.could_extract_minus_sign())
    return minus, bracketed(_expression(-term if minus else term, symbol, inline), level.OPEN)


def signed_sum(terms: Iterable[tuple[bool, Tree]]) -> Piece:
    """± a ± b …, each term with whether it is subtracted."""
    (minus, first), *rest = terms
    head = Prefix("minus", first) if minus else first
    if not rest:
        return Piece(head, level.SUM)
    ops = tuple("minus" if m else "plus" for m, _ in rest)
    return Piece(Infix((head, *(t for _, t in rest)), ops), level.SUM)


def _product(value: sympy.Expr, symbol: SymbolTree, inline: bool) -> Piece:
    if value.could_extract_minus_sign():
        return Piece(Prefix("minus", _expression(-value, symbol, inline).tree), level.SUM)
    number = [a for a in value.args if a.is_Number]
    others = sorted((a for a in value.args if not a.is_Number), key=lambda a: (isinstance(a, sympy.Add), str(a)))
    factors = [bracketed(_expression(a, symbol, inline), level.FACTOR) for a in (*number, *others)]
    return Piece(Row(tuple(factors)), level.PRODUCT)


def _function(value: sympy.Expr, symbol: SymbolTree) -> Piece:
    args = tuple(_expression(a, symbol, True).tree for a in sorted(value.args, key=lambda a: (a.is_Number, str(a))))
    match value:
        case sympy.floor():
            return Piece(Fenced(_fit(value.args[0], symbol), "floor", "floor)"), level.ATOM)
        case sympy.ceiling():
            return Piece(Fenced(_fit(value.args[0], symbol), "ceil", "ceil)"), level.ATOM)
        case sympy.Min() | sympy.Max():
            name = "min" if isinstance(value, sympy.Min) else "max"
            return Piece(Func(OpName(name), args), level.ATOM)
        case sympy.Mod():
            left, right = (_expression(a, symbol, True) for a in value.args)
            row = Row((bracketed(left, level.FACTOR), OpName("mod"), bracketed(right, level.FACTOR)))
            return Piece(row, level.PRODUCT)
    args = tuple(_expression(a, symbol, True).tree for a in value.args)
    return Piece(Func(OpName(type(value).__name__), args), level.ATOM)


def integer_source(value: Int) -> str:
    """A size, step or index in the problem language: t-1, 2*k+1, floor((H+2*P-K)/S)."""
    return _spelled(integer_piece(value, lambda s: Verbatim(s.name, s.name), inline=True).tree)


_FENCES = {"(": "", "floor": "floor", "ceil": "ceil"}
_SIGNS = {"plus": "+", "minus": "-"}


def _spelled(tree: Tree) -> str:
    match tree:
        case Verbatim(plain=text) | Number(text=text) | OpName(text=text):
            return text
        case Sym(key="infinity"):
            return "inf"
        case Infix(items=items, ops=ops):
            return _spelled(items[0]) + "".join(_SIGNS[op] + _spelled(x) for op, x in zip(ops, items[1:], strict=True))
        case Prefix(body=body):
            return f"-{_spelled(body)}"
        case Row(items=(top, Sym(key="slash"), bottom)):
            return f"{_spelled(top)}/{_spelled(bottom)}"
        case Row(items=items):
            return "*".join(_spelled(x) for x in items)
        case Script(base=base, sup=sup) if sup is not None:
            return f"{_spelled(base)}**{_spelled(sup)}"
        case Fenced(body=body, left=left):
            return f"{_FENCES[left]}({_spelled(body)})"
        case Func(name=name, args=args):
            return f"{_spelled(name)}({', '.join(_spelled(a) for a in args)})"
    raise InternalError(f"{type(tree).__name__} is no integer")
