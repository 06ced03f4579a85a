"""Integer arithmetic for sizes, steps and indices: plain ints where known, SymPy integers where symbolic."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

import sympy

from symgrad.errors import InternalError
from symgrad.tensor.affine import affine

Int: TypeAlias = int | sympy.Expr
IntEnv: TypeAlias = Mapping[sympy.Symbol, int]


@lru_cache(maxsize=4096)
def size_symbol(name: str) -> sympy.Symbol:
    """A size: a positive integer symbol."""
    return sympy.Symbol(name, integer=True, positive=True)


@lru_cache(maxsize=4096)
def index_symbol(name: str) -> sympy.Symbol:
    """A step or an index: an integer symbol of either sign."""
    return sympy.Symbol(name, integer=True)


def integer(value: Int) -> Int:
    """The value as an int where it is a number, unchanged where it is symbolic."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, sympy.Integer):
        return int(value)
    return value


def same(a: Int, b: Int) -> bool:
    """Whether a − b = 0 identically."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    if a == b:
        return True
    return bool(_difference(a, b) == 0)


@lru_cache(maxsize=65536)
def _difference(a: Int, b: Int) -> Int:
    return integer((affine(a) - affine(b)).expr)


def lifted(value: Int) -> sympy.Expr:
    """The integer as a SymPy expression; a text is none, and is never read as one."""
    return sympy.Integer(value) if isinstance(value, int) else value


def difference(a: Int, b: Int) -> Int:
    """a − b, expanded."""
    if isinstance(a, int) and isinstance(b, int):
        return a - b
    return _difference(a, b)


def at_most(a: Int, b: Int) -> bool | None:
    """Whether a ≤ b: True or False where it is certain for all values of the symbols, else None."""
    if isinstance(a, int) and isinstance(b, int):
        return a <= b
    return (affine(b) - affine(a)).at_least_zero()


def symbols_of(value: Int) -> frozenset[sympy.Symbol]:
    """The symbols in an integer expression."""
    if isinstance(value, int):
        return frozenset()
    return _symbols_of(value)


@lru_cache(maxsize=65536)
def _symbols_of(value: sympy.Expr) -> frozenset[sympy.Symbol]:
    return frozenset(value.free_symbols)


def replace(value: Int, mapping: Mapping[sympy.Symbol, Int]) -> Int:
    """The value with symbols replaced, all at once."""
    if isinstance(value, int) or not mapping:
        return value
    hit = [(s, mapping[s]) for s in symbols_of(value) if s in mapping]
    if not hit:
        return value
    return _replace(value, tuple(hit))


@lru_cache(maxsize=65536)
def _replace(value: sympy.Expr, pairs: tuple[tuple[sympy.Symbol, Int], ...]) -> Int:
    return integer(value.xreplace({s: lifted(v) for s, v in pairs}))


def evaluate_int(value: Int, env: IntEnv) -> int:
    """The number an integer expression stands for.

    Raises:
        KeyError: a symbol has no value in env.
    """
    if isinstance(value, int):
        return value
    return _compiled(value)(env)


@lru_cache(maxsize=65536)
def _compiled(value: sympy.Expr) -> Callable[[IntEnv], int]:
    if isinstance(value, sympy.Symbol):
        symbol = value
        return lambda env: env[symbol]
    if value.is_Integer:
        number = int(value)
        return lambda env: number
    if isinstance(value, sympy.floor | sympy.ceiling):
        return _rounded(value)
    if value.is_Rational or any(not a.is_integer for a in value.args):
        return _whole(value)
    parts = [_compiled(a) for a in value.args]
    if isinstance(value, sympy.Add):
        return lambda env: sum(p(env) for p in parts)
    if isinstance(value, sympy.Mul):
        return lambda env: math.prod(p(env) for p in parts)
    if isinstance(value, sympy.Min):
        return lambda env: min(p(env) for p in parts)
    if isinstance(value, sympy.Max):
        return lambda env: max(p(env) for p in parts)
    if isinstance(value, sympy.Mod):
        return lambda env: parts[0](env) % parts[1](env)
    return lambda env: _by_sympy(value, env)


def _quotient(value: sympy.Expr) -> tuple[Callable[[IntEnv], int], Callable[[IntEnv], int]] | None:
    """The integers p and q of a rational expression p/q; None where it is not one."""
    top, bottom = sympy.fraction(sympy.together(value))
    return (_compiled(top), _compiled(bottom)) if top.is_integer and bottom.is_integer else None


def _rounded(value: sympy.Expr) -> Callable[[IntEnv], int]:
    """⌊p/q⌋ or ⌈p/q⌉."""
    parts = _quotient(value.args[0])
    if parts is None:
        return lambda env: _by_sympy(value, env)
    p, q = parts
    if isinstance(value, sympy.floor):
        return lambda env: p(env) // q(env)
    return lambda env: -(-p(env) // q(env))


def _whole(value: sympy.Expr) -> Callable[[IntEnv], int]:
    """An integer written with fractions: n(n + 1)/2."""
    parts = None if value.is_Rational else _quotient(value)
    if parts is None:
        return lambda env: _by_sympy(value, env)
    p, q = parts

    def exact(env: IntEnv) -> int:
        found, rest = divmod(p(env), q(env))
        if rest:
            raise InternalError(f"{value} is not an integer where {env}")
        return found

    return exact


def _by_sympy(value: sympy.Expr, env: IntEnv) -> int:
    result = value.xreplace({s: sympy.Integer(env[s]) for s in value.free_symbols}).doit()
    if not result.is_Integer:
        raise InternalError(f"{value} is {result}, which is not an integer")
    return int(result)
