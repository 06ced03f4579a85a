"""Points: the values that a question gives to a model's inputs, and the sizes that follow from them."""

from collections.abc import Iterable, Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.derivation.structure.equations import integer_value
from symgrad.errors import QuestionError
from symgrad.problem.model import Declaration, Given, Problem, Setting
from symgrad.problem.numbers import array, filled, part
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, replace, symbols_of
from symgrad.tensor.nodes import At, Binder, Build, Density, Entry, Expr, Full, Shape, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import show_shape
from symgrad.tensor.system import Definition


class Value(Struct, frozen=True):
    """What a node is set to, or, where there are ranges, every member of a family."""

    node: Var
    given: Given
    setting: Setting
    ranges: tuple[Binder, ...] = ()


class Point(Struct, frozen=True):
    """Sizes and open indices, and a definition by numbers for each node that is given a value."""

    integers: Mapping[sympy.Symbol, Int]
    definitions: tuple[Definition, ...]

    @classmethod
    def of(cls, problem: Problem, settings: Sequence[Setting]) -> "Point":
        """The point of a question; a single number fills a tensor.

        Raises:
            QuestionError: shapes contradict each other, or a whole family cannot be meant.
        """
        sizes = _Sizes()
        for s in settings:
            if isinstance(s.target, sympy.Symbol):
                sizes.learn(s.target, _number(s), s)
        values = [v for s in settings if not isinstance(s.target, sympy.Symbol) for v in _values(problem, s, sizes)]
        parts: dict[Var, dict[tuple[Int, ...], Expr]] = {}
        for s in settings:
            if isinstance(s.target, Entry):
                _entry(s, s.target, parts)
        for v in values:
            if v.given.shape:
                for size, length in zip(v.node.shape, _shape(v), strict=True):
                    sizes.learn(size, length, v.setting)
        known = sizes.known
        made = [_definition(v, known) for v in values]
        made += [_from_entries(node, found, known) for node, found in parts.items()]
        made += [_function(s, s.target, known) for s in settings if isinstance(s.target, Density)]
        return cls(known, tuple(made))


class _Sizes:
    """Sizes as they become known; an expression of sizes is an equation for the one in it that is not."""

    def __init__(self) -> None:
        self.known: dict[sympy.Symbol, Int] = {}
        self.where: dict[sympy.Symbol, str] = {}

    def learn(self, size: Int, length: int, setting: Setting) -> None:
        size = replace(size, self.known)
        free = symbols_of(size)
        if not free:
            if size != length:
                raise QuestionError(f"{setting.name} has {length} entries along an axis of size {size}", setting.place)
            return
        if len(free) > 1:
            return
        (symbol,) = free
        solutions = [x for x in sympy.solve(sympy.Eq(size, length), symbol) if x.is_Integer]
        if not solutions:
            raise QuestionError(f"no {symbol} makes {size} = {length}, as {setting.name} needs", setting.place)
        self.known[symbol] = int(solutions[0])


def _number(setting: Setting) -> int:
    value = integer_value(setting)
    if not isinstance(value, int):
        raise QuestionError(f"{setting.name} needs a number, not {value}", setting.place)
    return value


def _values(problem: Problem, setting: Setting, sizes: _Sizes) -> Iterable[Value]:
    if isinstance(setting.target, Var):
        yield Value(setting.target, setting.value, setting, _running(problem, setting.target, sizes))
    elif setting.target is None:
        for declared in problem.declarations.get(setting.name, ()):
            yield from _members(declared, setting, sizes)
        for d in problem.system.family(setting.name):
            if d.ranges and not setting.value.shape:
                yield Value(d.target, setting.value, setting, d.ranges)
    elif not isinstance(setting.target, Entry | Density):
        raise QuestionError(f"{setting.name} can be given a value only by name or entry by entry", setting.place)


def _running(problem: Problem, node: Var, sizes: _Sizes) -> tuple[Binder, ...]:
    """The ranges of the steps that a member leaves open: what is set for u[t] is set for every t that u has."""
    members = [d.ranges for d in problem.declarations.get(node.name, ())]
    members += [d.ranges for d in problem.system.family(node.name)]
    known = {x.symbol: x for ranges in members for x in ranges}
    return tuple(known[s] for s in node.subs if isinstance(s, sympy.Symbol) and s in known and s not in sizes.known)


def _members(declared: Declaration, setting: Setting, sizes: _Sizes) -> Iterable[Value]:
    """The members of a declared family, row k of the value for its member number k."""
    node = Var(declared.name, declared.pattern, declared.shape, declared.facts)
    value = setting.value
    if not declared.ranges:
        if not declared.zero and (not value.shape or len(value.shape) == len(declared.shape)):
            yield Value(node, value, setting)
        return
    if len(value.shape) <= len(declared.shape):
        yield Value(node, value, setting, declared.ranges)
        return
    if len(declared.ranges) > 1:
        raise QuestionError(f"set the members of {setting.name} one by one", setting.place)
    (x,) = declared.ranges
    sizes.learn(difference(x.hi + 1, x.lo), value.shape[0], setting)
    first = replace(x.lo, sizes.known)
    for k in range(value.shape[0]):
        here: dict[sympy.Symbol, Int] = {x.symbol: first + k}
        member = Var(
            node.name,
            tuple(replace(s, here) for s in node.subs),
            tuple(replace(s, here) for s in node.shape),
            node.facts,
        )
        yield Value(member, part(value, k), setting)


def _shape(value: Value) -> tuple[int, ...]:
    shape = value.given.shape
    if len(shape) != value.node.order:
        wanted, found = show_shape(value.node.shape), show_shape(shape)
        raise QuestionError(f"{value.setting.name} is {wanted}; {found} is given", value.setting.place)
    return shape


def _definition(value: Value, known: Mapping[sympy.Symbol, Int]) -> Definition:
    running = {x.symbol for x in value.ranges}
    known = {s: v for s, v in known.items() if s not in running}
    node, given = value.node, value.given
    shape: Shape = tuple(replace(s, known) for s in node.shape)
    body = array(given) if given.shape else filled(_put(given, known), shape)
    ranges = tuple(Binder(x.symbol, replace(x.lo, known), replace(x.hi, known)) for x in value.ranges)
    return Definition(node.name, tuple(replace(s, known) for s in node.subs), body, ranges, (), node.facts)


def _put(given: Given, known: Mapping[sympy.Symbol, Int]) -> Given:
    """A value that is one expression, at the sizes that are known."""
    return Given(given.shape, tuple(reindex(x, known) for x in given.entries))


def _function(setting: Setting, target: Density, known: Mapping[sympy.Symbol, Int]) -> Definition:
    value = None if setting.value.shape else reindex(setting.value.entries[0], known)
    found = None if value is None or value.order else function_definition(target, value)
    if found is None:
        raise QuestionError(f"{setting.name} is set to one expression of its arguments", setting.place)
    return found


def function_definition(left: Density, right: Expr) -> Definition | None:
    """An unknown function or a density, given by its value at every argument; None for a conditional."""
    if not isinstance(left.table, Var) or left.given:
        return None
    places = [i for i in left.at if isinstance(i, sympy.Symbol)]
    if len(places) < len(left.at):
        return None
    if isinstance(right, Density) and right.at == left.at and not right.given:
        return Definition(left.table.name, (), right.table)
    binders = [Binder(i, 1, n) for i, n in zip(places, left.table.shape, strict=True)]
    return Definition(left.table.name, (), b.build(right, binders))


def at_places(table: Expr, at: Sequence[Int | None]) -> Expr:
    """A function or a density, given as the table of its values, at a place."""
    if not isinstance(table, Build | Full):
        return Density(table, tuple(at))
    if isinstance(table, Full):
        return b.num(table.value)
    return reindex(table.body, {x.symbol: i for x, i in zip(table.binders, at, strict=True) if i is not None})


def _entry(setting: Setting, target: Entry, parts: dict[Var, dict[tuple[Int, ...], Expr]]) -> None:
    if not isinstance(target.arg, Var) or not all(isinstance(i, At) for i in target.items) or setting.value.shape:
        raise QuestionError(f"{setting.name} is set as a whole, or one entry at a time", setting.place)
    place = tuple(i.index for i in target.items if isinstance(i, At))
    parts.setdefault(target.arg, {})[place] = setting.value.entries[0]


def _from_entries(node: Var, found: Mapping[tuple[Int, ...], Expr], known: Mapping[sympy.Symbol, Int]) -> Definition:
    shape = tuple(replace(s, known) for s in node.shape)

    def built(place: tuple[Int, ...]) -> Expr:
        if len(place) == len(shape):
            if place not in found:
                raise QuestionError(f"entry {', '.join(map(str, place))} of {node.name} has no value")
            return found[place]
        size = shape[len(place)]
        if not isinstance(size, int):
            raise QuestionError(f"the size {size} is not given")
        return b.stack(*(built((*place, k)) for k in range(1, size + 1)))

    return Definition(node.name, tuple(replace(s, known) for s in node.subs), built(()), (), (), node.facts)
