"""A model recast before it is differentiated: pre-activations named, a recurrence cut at the step that matters."""

from collections.abc import Callable, Collection

import sympy
from msgspec.structs import replace as changed

from symgrad.calculus.dependency import lags
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, replace, symbols_of
from symgrad.tensor.nodes import Add, Apply, Binder, Call, Entry, Expr, MatMul, Mul, Rel, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder


def name_preactivations(
    system: System, families: Collection[str], fresh: Callable[[str, bool], str]
) -> tuple[System, tuple[Definition, ...]]:
    """The system with h = f(u) written as a = u, h = f(a), wherever u is more than a name and more than a number.

    Args:
        system: the model.
        families: those that are looked at.
        fresh: a free name for the pre-activation of a family, or for its logits.

    Returns:
        The system, and the definitions that were added.
    """
    out: list[Definition] = []
    added: list[Definition] = []
    names: dict[str, str] = {}
    for d in system.definitions:
        inner = argument_to_name(d.body) if d.family in families else None
        if inner is None:
            out.append(d)
            continue
        if d.family not in names:
            names[d.family] = fresh(d.family, isinstance(d.body, Call))
        made = Definition(names[d.family], d.indices, inner, d.ranges, d.conds)
        body = _with_argument(d.body, made.target)
        out += [made, changed(d, body=body)]
        added.append(made)
    return System(tuple(out), system.steps), tuple(added)


_NO_ACTIVATIONS = frozenset({"max", "min", "where", "log", "sqrt", "abs", "sign", "floor", "ceil"})


def argument_to_name(body: Expr) -> Expr | None:
    """The argument of an activation, of a softmax, or of the softmax in a cross-entropy, where it is a formula."""
    match body:
        case Apply(fn=fn, args=(inner, *rest)) if len(rest) < 2 and fn not in _NO_ACTIVATIONS:
            formula = not isinstance(inner, Var | Entry)
        case Call(fn="softmax", args=(inner,)) | Call(fn="cross_entropy", args=(_, Call(fn="softmax", args=(inner,)))):
            formula = isinstance(inner, MatMul | Add | Mul)
        case _:
            return None
    return inner if formula and any(isinstance(x, Var) for x in postorder(inner)) else None


def _with_argument(body: Expr, name: Var) -> Expr:
    match body:
        case Apply(fn=fn, args=(_, *rest)):
            return b.apply(fn, name, *rest)
        case Call(fn="softmax"):
            return Call(body.fn, (name,), body.params, body.shape)
        case Call(args=(y, probabilities)):
            return Call(body.fn, (y, _with_argument(probabilities, name)), body.params, body.shape)
    raise InternalError(f"no argument to name in {type(body).__name__}")


def ends_at(system: System, node: Var, fresh: Callable[[sympy.Symbol], sympy.Symbol]) -> System:
    """The system whose recurrences end at the step of a node, where nothing at later steps acts on it.

    A running step that has the name of the node's open step is renamed.
    """
    table = lags(system)
    whole = bool(table.sign.get(node.name, set()) - {-1})
    for step, place in table.position.get(node.name, {}).items():
        if step not in system.steps or place >= len(node.subs):
            continue
        at, top = node.subs[place], system.steps[step].hi
        running = fresh(step) if step in symbols_of(at) else step
        if not whole or running is not step:
            system = _cut(system, step, running, top if whole else at)
    return system


def _cut(system: System, step: sympy.Symbol, running: sympy.Symbol, last: Int) -> System:
    """The system with a step of another name that ends earlier."""
    top = system.steps[step].hi
    mapping: dict[sympy.Symbol, Int] = {step: running}

    def range_of(x: Binder) -> Binder:
        if x.symbol != step:
            return x
        return Binder(running, replace(x.lo, mapping), last if x.hi == top else replace(x.hi, mapping))

    definitions = []
    for d in system.definitions:
        if all(x.symbol != step for x in d.ranges):
            definitions.append(d)
            continue
        definitions.append(
            Definition(
                d.family,
                tuple(replace(i, mapping) for i in d.indices),
                reindex(d.body, mapping),
                tuple(range_of(x) for x in d.ranges),
                tuple(Rel(c.op, replace(c.left, mapping), replace(c.right, mapping)) for c in d.conds),
                d.facts,
            )
        )
    steps = {s: x for s, x in system.steps.items() if s != step}
    steps[running] = Binder(running, system.steps[step].lo, last)
    return System(tuple(definitions), steps)
