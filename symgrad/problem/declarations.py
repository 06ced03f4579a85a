"""Declared symbols: their members, shapes, facts and given numbers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from symgrad.errors import ProblemError
from symgrad.problem.facts import check_facts
from symgrad.problem.heads import Head
from symgrad.problem.indices import size_of
from symgrad.problem.model import Declaration, Given
from symgrad.problem.names import Broken, Family, Member
from symgrad.problem.numbers import array, filled, given, part
from symgrad.problem.patterns import Pattern, pattern
from symgrad.problem.ranges import span_ends
from symgrad.problem.records import ProblemDocument, RawSymbol
from symgrad.problem.scope import Scope
from symgrad.problem.texts import read_expression
from symgrad.syntax.tree import Name, Subscript
from symgrad.tensor import build as b
from symgrad.tensor.facts import at_least
from symgrad.tensor.integers import Int, at_most, replace, symbols_of
from symgrad.tensor.nodes import Binder, Shape
from symgrad.tensor.shapes import same_shape, show_shape
from symgrad.tensor.system import Definition


class Declared(Struct):
    """A declared symbol as a member of its family; ``annotation`` where the model defines the same member."""

    raw: RawSymbol
    family: Family
    member: Member
    values: Given | None
    annotation: bool

    @property
    def zero(self) -> bool:
        """Whether it is given as zero."""
        return self.values is not None and all(b.number_of(e) == 0 for e in self.values.entries)


def read_steps(document: ProblemDocument, scope: Scope) -> None:
    """The ranges of the steps, into the names."""
    names = scope.names
    for step in document.steps:
        symbol = names.indices.get(step.name)
        if symbol is None:
            continue
        try:
            lo, hi = span_ends(step.span, scope)
            if at_most(hi + 1, lo):
                names.complain(f"the range {lo}..{hi} is empty", step.span.place)
            names.steps[symbol] = Binder(symbol, lo, hi)
        except ProblemError as error:
            names.note(error.diagnostics)
            names.broken.add(step.name)
        except Broken:
            names.broken.add(step.name)


def read_declarations(symbols: Sequence[RawSymbol], heads: Sequence[Head], scope: Scope) -> list[Declared]:
    """The declared symbols; what is wrong is noted, and the name is broken."""
    declared = []
    for symbol in symbols:
        name = _name(symbol)
        try:
            found = _declared(symbol, scope.names.families[name], heads, scope)
            found.family.members.append(found.member)
            declared.append(found)
        except ProblemError as error:
            scope.names.note(error.diagnostics)
            scope.names.broken.add(name)
        except Broken:
            scope.names.broken.add(name)
    return declared


def _name(symbol: RawSymbol) -> str:
    base = symbol.key.base if isinstance(symbol.key, Subscript) else symbol.key
    return base.id if isinstance(base, Name) else ""


def _declared(symbol: RawSymbol, family: Family, heads: Sequence[Head], scope: Scope) -> Declared:
    items = symbol.key.items if isinstance(symbol.key, Subscript) else ()
    where = pattern(items, {}, scope)
    values = None if symbol.values is None else given(symbol.values, scope)
    annotation = any(h.name == family.name and _same_pattern(h, where, scope) for h in heads)
    shape = _shape(symbol, where, scope)
    if values is not None:
        if annotation:
            raise ProblemError(f"{symbol.text} is given here and defined in the model", symbol.place)
        shape = _shape_of_values(symbol, values, shape, where, family)
    elif shape is None and not annotation:
        shape = ()
    if shape is not None:
        check_facts(symbol, shape, values)
    facts = frozenset(fact.text for fact in symbol.facts)
    if "index" in facts and scope.names.index_base == 0:
        facts |= {at_least(0)}
    member = Member(where.indices, where.ranges, symbol.text, symbol.place, False, shape, facts)
    member.filled = values is not None and not values.shape
    for other in family.members:
        if other.pattern == member.pattern and other.ranges == member.ranges:
            message = f"{symbol.text} is declared twice; the first time in line {other.place.line}"
            raise ProblemError(message, symbol.place)
    return Declared(symbol, family, member, values, annotation)


def _same_pattern(head: Head, where: Pattern, scope: Scope) -> bool:
    """Whether a definition makes just these members; what is wrong with it is said where it is read."""
    try:
        return pattern(head.steps, {}, scope).indices == where.indices
    except ProblemError:
        return False


def _shape(symbol: RawSymbol, where: Pattern, scope: Scope) -> Shape | None:
    if symbol.shape is None:
        return None
    sizes: list[Int] = []
    for source in symbol.shape:
        size = size_of(read_expression(source, scope.names.vocabulary), scope)
        if at_most(size, 0):
            raise ProblemError(f"a size is a positive integer, not {size}", source.place())
        for step in symbols_of(size):
            if step in scope.names.steps and step not in {x.symbol for x in where.ranges}:
                message = f"the size depends on the step {str(step)!r}, which is no subscript of {symbol.text}"
                raise ProblemError(message, source.place())
        sizes.append(replace(size, where.shift))
    return tuple(sizes)


def _shape_of_values(
    symbol: RawSymbol, values: Given, shape: Shape | None, where: Pattern, family: Family
) -> Shape | None:
    """The shape of a symbol whose numbers are given; None where one number fills what the others show."""
    place = symbol.values.place if symbol.values is not None else symbol.place
    if not values.shape:
        return () if shape is None and family.arity == 0 else shape
    own: Shape = values.shape
    if where.ranges:
        lengths = [x.length for x in where.ranges]
        if len(lengths) > 1 or lengths[0] != values.shape[0]:
            wanted = " × ".join(map(str, lengths))
            raise ProblemError(f"{symbol.text} has {wanted} members, but {values.shape[0]} are given", place)
        own = values.shape[1:]
    if shape is not None and own and not same_shape(own, shape):
        message = f"{symbol.text} is {show_shape(shape)}, but the numbers are {show_shape(own)}"
        raise ProblemError(message, place)
    return shape if shape is not None else own


def constants(declared: Declared) -> list[Definition]:
    """The definitions that give a symbol its numbers."""
    values, member, family = declared.values, declared.member, declared.family
    if values is None or member.shape is None:
        return []
    shape = member.shape
    if not values.shape:
        body = filled(values, shape)
        return [Definition(family.name, member.pattern, body, member.ranges, (), family.facts)]
    if not member.ranges:
        return [Definition(family.name, member.pattern, array(values), (), (), family.facts)]
    (steps,) = member.ranges
    first = int(steps.lo)
    bodies = (part(values, at) for at in range(values.shape[0]))
    return [
        Definition(
            family.name,
            tuple(replace(p, {steps.symbol: first + at}) for p in member.pattern),
            array(row) if row.shape else filled(row, shape),
            (),
            (),
            family.facts,
        )
        for at, row in enumerate(bodies)
    ]


def declaration(declared: Declared) -> Declaration:
    """The finished record of a declared symbol."""
    raw, member = declared.raw, declared.member
    return Declaration(
        declared.family.name,
        member.pattern,
        member.shape or (),
        member.facts,
        raw.latex,
        declared.values,
        declared.zero,
        raw.place,
        member.ranges,
        raw.about,
    )
