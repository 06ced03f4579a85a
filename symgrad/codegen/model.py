"""A program made uniform: every input a named family, every index of a definition ranged, nothing unneeded."""

from collections.abc import Callable, Iterable, Mapping

import sympy
from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.codegen.accesses import Access, accesses, may_hit
from symgrad.codegen.intervals import Ranges, coefficient, gaps_of, largest, nested, smallest
from symgrad.codegen.program import Leaf, Program
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, same, symbols_of
from symgrad.tensor.nodes import Binder, Build, Call, Deriv, Expr, Fold, Opaque, Var
from symgrad.tensor.probability import expanded
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder


class Input(Struct, frozen=True):
    """An array argument: the member (or the members over its ranges) of a family that it holds."""

    argument: str
    family: str
    subs: tuple[Int, ...]
    ranges: tuple[Binder, ...]
    node: Var

    @property
    def target(self) -> Definition:
        """The same as a definition without a body to speak of."""
        return Definition(self.family, self.subs, self.node, self.ranges)


class Model(Struct, frozen=True):
    """Definitions and outputs over inputs; ``open`` are the ranges of the open steps."""

    definitions: tuple[Definition, ...]
    outputs: Mapping[str, Expr]
    inputs: tuple[Input, ...]
    open: Ranges = ()

    def reads(self, d: Definition) -> list[Access]:
        """The named nodes that a definition reads, over its ranges."""
        return accesses(d.body, d.ranges, d.conds, self.open)

    def output_reads(self) -> list[Access]:
        """The named nodes that the outputs read."""
        return [a for e in self.outputs.values() for a in accesses(e, (), (), self.open)]

    def all_reads(self) -> list[Access]:
        """Every access in the model."""
        return [a for d in self.definitions for a in self.reads(d)] + self.output_reads()

    def family(self, name: str) -> tuple[Definition, ...]:
        """The definitions of a family."""
        return tuple(d for d in self.definitions if d.family == name)

    def taken(self) -> set[str]:
        """The family names in use."""
        return {d.family for d in self.definitions} | {i.family for i in self.inputs}

    def with_definitions(self, definitions: tuple[Definition, ...]) -> "Model":
        """The model with other definitions."""
        return changed(self, definitions=definitions)


def normalise(program: Program) -> Model:
    """The model of a program, only what its outputs need."""
    named = program.outputs if isinstance(program.outputs, Mapping) else {"": program.outputs}
    inputs = tuple(_input(k, leaf) for k, leaf in enumerate(program.leaves))
    partials = [(leaf, i) for leaf, i in zip(program.leaves, inputs, strict=True) if isinstance(leaf.node, Deriv)]
    outputs = {k: _name_partials(expanded(e), partials) for k, e in named.items()}
    bound = _bound_ranges(outputs.values())
    outputs = {k: entries_outside(e) for k, e in outputs.items()}
    definitions = [
        _settle(changed(d, body=entries_outside(_name_partials(expanded(d.body), partials))), program, bound)
        for d in program.system.definitions
    ]
    known = tuple(x for s in program.integers if (x := _known_range(s, program)) is not None)
    return live(Model(tuple(definitions), outputs, inputs, nested(known)))


def _known_range(s: sympy.Symbol, program: Program) -> Binder | None:
    """The range of an open step: its own, or what follows from its being the end of another, which is not empty."""
    own = program.system.steps.get(s) or _as_an_end(s, program.system)
    gaps = [g for c in program.known for g in gaps_of(c) or () if s in symbols_of(g)]
    lows = [difference(s, g) for g in gaps if coefficient(g, s) == 1]
    highs = [integer(sympy.expand(g + s)) for g in gaps if coefficient(g, s) == -1]
    lows += [own.lo] if own else []
    highs += [own.hi] if own else []
    if not lows:
        return None
    return Binder(s, largest(lows), smallest(highs) if highs else sympy.oo)


def _as_an_end(s: sympy.Symbol, system: System) -> Binder | None:
    for d in system.definitions:
        for x in d.ranges:
            if same(x.hi, s) and s not in symbols_of(x.lo):
                return Binder(s, x.lo, sympy.oo)
    return None


def _input(k: int, leaf: Leaf) -> Input:
    if isinstance(leaf.node, Var):
        return Input(leaf.argument, leaf.node.name, leaf.node.subs, leaf.ranges, leaf.node)
    subs = tuple(x.symbol for x in leaf.ranges)
    node = Var(f"partial {k}", subs, leaf.node.shape)
    return Input(leaf.argument, node.name, subs, leaf.ranges, node)


def _name_partials(e: Expr, partials: list[tuple[Leaf, Input]]) -> Expr:
    """The expression with each given partial derivative as the named node of its argument."""

    def rule(node: Expr) -> Expr:
        if not isinstance(node, Deriv):
            return node
        for leaf, made in partials:
            mapping = _meeting(leaf, node)
            if mapping is not None:
                return reindex(made.node, mapping)
        raise InternalError("an unresolved derivative is no argument of the function")

    return transform(e, rule, into=lambda x: not isinstance(x, Deriv | Opaque))


def entries_outside(e: Expr) -> Expr:
    """Σ of a tensor given by entries as the tensor of Σ, so that an equality of indices can settle the sum's."""

    def rule(node: Expr) -> Expr:
        if not isinstance(node, Fold) or node.op != "sum" or not isinstance(node.body, Build):
            return node
        taken = {x.symbol for x in node.binders} | free_ints(node)
        inner = node.body
        if any(x.symbol in taken for x in inner.binders) or any(
            symbols_of(end) & {x.symbol for x in node.binders} for x in inner.binders for end in (x.lo, x.hi)
        ):
            return node
        return b.build(b.fold("sum", inner.body, node.binders, node.conds), inner.binders)

    return transform(e, rule, into=lambda x: not isinstance(x, Deriv | Opaque))


def _meeting(leaf: Leaf, node: Deriv) -> dict[sympy.Symbol, Int] | None:
    """The indices at which an argument's derivative is the given one."""
    pattern = leaf.node
    assert isinstance(pattern, Deriv)
    symbols = {x.symbol for x in leaf.ranges}
    mapping: dict[sympy.Symbol, Int] = {}
    for mine, theirs in ((pattern.of, node.of), (pattern.wrt, node.wrt)):
        if isinstance(mine, Var) and isinstance(theirs, Var) and len(mine.subs) == len(theirs.subs):
            mapping |= {p: s for p, s in zip(mine.subs, theirs.subs, strict=True) if p in symbols}
    met = reindex(pattern, mapping)
    assert isinstance(met, Deriv)
    return mapping if met.of is node.of and met.wrt is node.wrt else None


def _bound_ranges(outputs: Iterable[Expr]) -> dict[sympy.Symbol, Binder]:
    found: dict[sympy.Symbol, Binder] = {}
    for e in outputs:
        for node in postorder(e):
            if isinstance(node, Build | Fold):
                found |= {x.symbol: x for x in node.binders}
    return found


def _settle(d: Definition, program: Program, bound: Mapping[sympy.Symbol, Binder]) -> Definition:
    """The definition with every index ranged or fixed, its own symbols apart from the open steps."""
    ranged = {x.symbol for x in d.ranges}
    loose = [s for s in d.indices if isinstance(s, sympy.Symbol) and s not in ranged and s not in program.integers]
    ranges = nested((*(bound[s] for s in loose if s in bound), *d.ranges))
    open_symbols = set(program.integers)
    renamed: dict[sympy.Symbol, sympy.Symbol] = {}
    for x in ranges:
        if x.symbol in open_symbols:
            taken = {*open_symbols, *(y.symbol for y in ranges), *_free(d), *renamed.values()}
            renamed[x.symbol] = fresh_symbol(sympy.Symbol("s", integer=True), taken)
    return rename(changed(d, ranges=ranges), renamed)


def _free(d: Definition) -> set[sympy.Symbol]:
    return {s for node in postorder(d.body) if isinstance(node, Var) for x in node.subs for s in symbols_of(x)}


def rename(d: Definition, renamed: Mapping[sympy.Symbol, Int]) -> Definition:
    """The definition with other index symbols."""
    if not renamed:
        return d
    return Definition(
        d.family,
        tuple(replace(i, renamed) for i in d.indices),
        reindex(d.body, renamed),
        tuple(_renamed(x, renamed) for x in d.ranges),
        tuple(b.rel(c.op, replace(c.left, renamed), replace(c.right, renamed)) for c in d.conds),
        d.facts,
    )


def _renamed(x: Binder, renamed: Mapping[sympy.Symbol, Int]) -> Binder:
    symbol = renamed.get(x.symbol, x.symbol)
    assert isinstance(symbol, sympy.Symbol)
    return Binder(symbol, replace(x.lo, renamed), replace(x.hi, renamed))


def live(model: Model) -> Model:
    """The model without definitions that no output needs; what is hardly a computation stands where it was named."""
    model = _put_in(model)
    kept: set[int] = set()
    waiting = model.output_reads()
    while waiting:
        a = waiting.pop()
        for k, d in enumerate(model.definitions):
            if k not in kept and may_hit(a, d):
                kept.add(k)
                waiting += model.reads(d)
    return model.with_definitions(tuple(d for k, d in enumerate(model.definitions) if k in kept))


def _put_in(model: Model) -> Model:
    """Families that are one number, another name of a node, or a diagonal matrix, written out where they are named."""
    while (d := next((x for x in model.definitions if _trivial(x, model)), None)) is not None:
        rule = _written_out(d)
        rest = tuple(changed(x, body=transform(x.body, rule)) for x in model.definitions if x is not d)
        outputs = {k: transform(e, rule) for k, e in model.outputs.items()}
        model = changed(model, definitions=rest, outputs=outputs)
    return model


def _trivial(d: Definition, model: Model) -> bool:
    body = d.body
    alias = isinstance(body, Var) and body.name != d.family
    diagonal = isinstance(body, Call) and body.fn == "diag"
    if not (alias or diagonal or b.number_of(body) is not None) or d.conds or len(set(d.indices)) < len(d.indices):
        return False
    inside = any(isinstance(x, Var) and x.name == d.family for x in postorder(body))
    return not inside and len(model.family(d.family)) == 1 and all(i.family != d.family for i in model.inputs)


def _written_out(d: Definition) -> Callable[[Expr], Expr]:
    ranged = {x.symbol for x in d.ranges}

    def rule(node: Expr) -> Expr:
        if not isinstance(node, Var) or node.name != d.family or len(node.subs) != len(d.indices):
            return node
        places = {
            s: v for s, v in zip(d.indices, node.subs, strict=True) if isinstance(s, sympy.Symbol) and s in ranged
        }
        return reindex(d.body, places)

    return rule


def holds_exactly(i: Input, node: Var) -> bool:
    """Whether an argument without index axes holds this very node."""
    fits = i.family == node.name and not i.ranges and len(i.subs) == len(node.subs)
    return fits and all(same(p, s) for p, s in zip(i.subs, node.subs, strict=True))
