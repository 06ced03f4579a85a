"""The closed set of node kinds: immutable records, hash-consed, so that equal expressions are one object.

Build nodes with ``symgrad.tensor.build``, whose constructors check shapes and fold the trivial; the classes here
check nothing. An expression of order 1 is a column vector, or a row where ``row`` is true; a scalar has shape ().
"""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from fractions import Fraction
from inspect import get_annotations
from typing import Any, TypeAlias, TypeVar, dataclass_transform
from weakref import KeyedRef

import sympy

from symgrad.tensor.integers import Int

T = TypeVar("T")
Shape: TypeAlias = tuple[Int, ...]

_interned: dict[tuple[Any, ...], "KeyedRef[tuple[Any, ...], Any]"] = {}


def _forget(gone: "KeyedRef[tuple[Any, ...], Any]") -> None:
    if _interned.get(gone.key) is gone:
        del _interned[gone.key]


class _HashConsed(type):
    """Classes of which a call returns the one object that has these values."""

    _key: tuple[str, ...] = ()
    _defaults: dict[str, Any]
    _setters: tuple[Callable[[Any, Any], None], ...]

    def __call__(cls: type[T], *args: Any, **named: Any) -> T:
        if named or len(args) != len(cls._key):  # type: ignore[attr-defined]
            args = _bound(cls, args, named)
        key = (cls, *args)
        known = _interned.get(key)
        found = None if known is None else known()
        if found is None:
            found = object.__new__(cls)
            for put, value in zip(cls._setters, args, strict=True):  # type: ignore[attr-defined]
                put(found, value)
            _interned[key] = KeyedRef(found, _forget, key)
        return found


def _bound(cls: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The values of all fields, in order, from arguments by position and by name."""
    given = {**cls._defaults, **dict(zip(cls._key, args, strict=False)), **named}
    if len(args) > len(cls._key) or given.keys() != set(cls._key):
        raise TypeError(f"{cls.__name__} takes {', '.join(cls._key)}")
    return tuple(given[name] for name in cls._key)


@dataclass_transform(frozen_default=True, eq_default=False)
def _node(cls: type[T]) -> type[T]:
    """The class with a slot for each annotated field, as a frozen dataclass has, at a tenth of its cost."""
    names = tuple(get_annotations(cls))
    body = {k: v for k, v in cls.__dict__.items() if k not in (*names, "__dict__", "__weakref__")}
    made: Any = _HashConsed(cls.__name__, cls.__bases__, {**body, "__slots__": (*names, "__weakref__")})
    made._key = names
    made.__match_args__ = names  # type: ignore[misc]
    made._defaults = {n: cls.__dict__[n] for n in names if n in cls.__dict__}
    made._setters = tuple(made.__dict__[n].__set__ for n in names)
    return made  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Binder:
    """A bound index with its inclusive range lo..hi."""

    symbol: sympy.Symbol
    lo: Int
    hi: Int


@dataclass(frozen=True, slots=True)
class Rel:
    """A relation between integer expressions; op is one of == != < <= > >=."""

    op: str
    left: Int
    right: Int


ANY = sympy.Symbol("*", integer=True)
"""As a subscript of a held node: every member of the family but those that the derivative names."""


class Expr(metaclass=_HashConsed):
    """Base of all nodes; equality is identity."""

    __slots__ = ()
    shape: Shape

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    @property
    def row(self) -> bool:
        """Whether this is a transposed vector."""
        return False

    @property
    def order(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def children(self) -> "tuple[Expr, ...]":
        """The operands, in the author's order."""
        return ()

    def __repr__(self) -> str:
        from_fields = ", ".join(repr(getattr(self, n)) for n in type(self)._key if n != "shape")
        return f"{type(self).__name__}({from_fields})"


class _Scalar(Expr):
    __slots__ = ()

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        return ()


@_node
class Num(_Scalar):
    """An exact rational number."""

    value: Fraction


@_node
class Count(_Scalar):
    """An integer expression of sizes, steps and indices, used as a number."""

    value: sympy.Expr


@_node
class Const(_Scalar):
    """A named constant: pi, e, or inf, the value of a limit that is infinite."""

    name: str


@_node
class Full(Expr):
    """A tensor with the same number in every entry."""

    value: Fraction
    shape: Shape


@_node
class Eye(Expr):
    """The n × n identity."""

    size: Int

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        return (self.size, self.size)


@_node
class Literal(Expr):
    """An array of given numbers, row by row."""

    values: tuple[Fraction | float, ...]
    shape: Shape


@_node
class Var(Expr):
    """A named node: a symbol of the problem or a quantity its model defines, with the subscripts that pick it."""

    name: str
    subs: tuple[Int, ...]
    shape: Shape
    facts: frozenset[str] = frozenset()


@_node
class Add(Expr):
    """A sum, entry by entry, in the author's order."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False

    @property
    def row(self) -> bool:
        return self.is_row

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Mul(Expr):
    """A product, entry by entry, with NumPy broadcasting; a quotient is a factor with a negative power."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False

    @property
    def row(self) -> bool:
        return self.is_row

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Pow(Expr):
    """A power, entry by entry; the exponent is a scalar or has the base's shape."""

    base: Expr
    exponent: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.order == 1 and (self.base.row or self.exponent.row)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)


@_node
class Apply(Expr):
    """A scalar function of the table, entry by entry."""

    fn: str
    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False

    @property
    def row(self) -> bool:
        return self.is_row

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Compare(Expr):
    """A comparison entry by entry, 1 where it holds and 0 elsewhere."""

    op: str
    left: Expr
    right: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.order == 1 and (self.left.row or self.right.row)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@_node
class MatMul(Expr):
    """A chain of matrix products over vectors, rows and matrices."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False

    @property
    def row(self) -> bool:
        return self.is_row

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Transpose(Expr):
    """The transpose of a matrix, or a vector as a row."""

    arg: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.order == 1 and not self.arg.row

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)


@_node
class Permute(Expr):
    """The axes of a tensor in another order: axis a of the result is axis axes[a] of the argument."""

    arg: Expr
    axes: tuple[int, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)


@_node
class Reduce(Expr):
    """sum, prod, max, min or argmax over axes (all entries when axes is every axis)."""

    op: str
    arg: Expr
    axes: tuple[int, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)


@_node
class Fold(Expr):
    """sum, prod, max, min, or matprod of a body over index ranges, where the conditions hold.

    matprod multiplies matrices in the order of its range; ``first`` of the range stands on the left.
    """

    op: str
    body: Expr
    binders: tuple[Binder, ...]
    conds: tuple[Rel, ...]
    shape: Shape
    descending: bool = False

    @property
    def row(self) -> bool:
        return self.body.row

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@_node
class Build(Expr):
    """The tensor whose entry at the binders' indices is the body; the body's own axes come last."""

    body: Expr
    binders: tuple[Binder, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, slots=True)
class At:
    """One place along an axis, counted from 1."""

    index: Int


@dataclass(frozen=True, slots=True)
class Cut:
    """The places lo..hi along an axis, counted from 1."""

    lo: Int
    hi: Int


@dataclass(frozen=True, slots=True)
class Pick:
    """A place along an axis that is data: a scalar expression with an integer value, counted from 1."""

    index: Expr


Item: TypeAlias = At | Cut | Pick


@_node
class Entry(Expr):
    """Entries of a tensor: one item an axis, in order."""

    arg: Expr
    items: tuple[Item, ...]
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.row and self.order == 1

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg, *(i.index for i in self.items if isinstance(i, Pick)))


@_node
class Iverson(_Scalar):
    """1 where all the integer relations hold, else 0; one equality alone is Kronecker's δ."""

    conds: tuple[Rel, ...]


@_node
class Stack(Expr):
    """Tensors of one shape along a new first axis."""

    args: tuple[Expr, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Concat(Expr):
    """Tensors one after the other along an axis."""

    args: tuple[Expr, ...]
    axis: int
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Call(Expr):
    """A whole-tensor function of the table; params are its integer settings such as the axis."""

    fn: str
    args: tuple[Expr, ...]
    params: tuple[tuple[str, Any], ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def param(self, name: str) -> Any:
        """The setting of that name."""
        return dict(self.params)[name]


@_node
class Opaque(_Scalar):
    """A scalar of which only the immediate partials by its arguments are given.

    ``over`` holds the ranges when the arguments are members of families: loss(h[t], t=1..K).
    """

    name: str
    args: tuple[Expr, ...]
    over: tuple[Binder, ...] = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Deriv(Expr):
    """∂of/∂wrt with shape of.shape + wrt.shape.

    kind is "total" (through every path), or "immediate" (∂⁺: the definition of ``of`` itself, everything it names
    held). ``held`` are nodes kept fixed in a total derivative.
    """

    of: Expr
    wrt: Expr
    kind: str
    shape: Shape
    held: frozenset[Expr] = frozenset()

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.of, self.wrt)


@_node
class Chain(Expr):
    """Derivatives multiplied along a path: neighbours are contracted over the shape of the node between them.

    ``links`` are the orders of the nodes between; shape is the first factor's ``of`` with the last factor's ``wrt``.
    """

    args: tuple[Expr, ...]
    links: tuple[int, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Density(_Scalar):
    """The value of a density, or of an unknown function, at a point: p(x, z), p(z), p(z | x), D(x).

    ``table`` holds the values at the common points, one axis for each argument, and ``at`` the place on each axis;
    an axis without a place is summed out. ``given`` are the axes behind the bar.
    """

    table: Expr
    at: tuple[Int | None, ...]
    given: frozenset[int] = frozenset()

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.table,)


@_node
class Law(_Scalar):
    """The value of a named density at a point: normal(z, mean, cov), bernoulli(x, p); args[0] is the point."""

    name: str
    args: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Integral(Expr):
    """An integral over random variables: ∫ f dz, E_q[f], Var_q[f] or KL(q‖p).

    op is integral (args: f), expectation or variance (args: f and the density), or divergence (args: q and p). The
    binders are the variables: their symbols are places among the common points, over which the integral is a sum.
    """

    op: str
    args: tuple[Expr, ...]
    binders: tuple[Binder, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


@_node
class Limit(Expr):
    """The limit of ``arg`` as the scalar ``var`` goes to ``point``: from below, above or both (side "-", "+", "")."""

    arg: Expr
    var: Expr
    point: Expr
    side: str
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.row

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg, self.var, self.point)


KINDS: tuple[type[Expr], ...] = (
    Num, Count, Const, Full, Eye, Literal, Var, Add, Mul, Pow, Apply, Compare, MatMul, Transpose, Permute, Reduce,
    Fold, Build, Entry, Iverson, Stack, Concat, Call, Opaque, Deriv, Chain, Limit,
    Density, Law, Integral,
)  # fmt: skip
