"""Derivatives within an expression, written out: as formulas, or as a backward pass over the model."""

from collections.abc import Mapping

from msgspec import Struct

from symgrad.calculus.local import local_jacobian
from symgrad.derivation.differentiation.derivative import as_node
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.naming import Names
from symgrad.derivation.program import backward_code
from symgrad.derivation.steps import Block, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.derivation.writing_out import written_out
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.shapes import same_shape
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System
from symgrad.tensor.walk import find


class Derived(Struct, frozen=True):
    """A derivative as it is derived: its value, the lines before it, and why the last step holds.

    ``images`` are the names on the way that are linear in the variable, written out over it.
    """

    value: Expr
    blocks: tuple[Block, ...]
    reason: Reason
    images: Mapping[Expr, Expr]


def derived(work: Workspace, x: Expr) -> Derived | None:
    """A total derivative by named nodes along its paths; None where it is none, or has too many axes for matrices."""
    if not isinstance(x, Deriv) or x.kind != "total" or x.held:
        return None
    of, wrt = x.of, x.wrt
    if not isinstance(of, Var) or not isinstance(wrt, Var) or (of.order and of.order + wrt.order > 2):
        return None
    try:
        paths = Paths(work, Names(work), of, wrt, "chain")
        value = paths.solve()
    except QuestionError:
        return None
    return Derived(value, tuple(paths.blocks), paths.reason, paths.images(value))


def as_formulas(system: System, root: Expr) -> Expr:
    """The expression with each derivative by a named node as a formula over what stands in the definitions.

    A derivative along a recurrence, of a part held or by an entry stays as it is.
    """
    values: dict[Expr, Expr] = {}
    for x in find(root, Deriv):
        if isinstance(x, Deriv) and isinstance(x.wrt, Var) and not x.held and x.kind == "total":
            try:
                body = written_out(system, x.of, {x.wrt.name})
            except QuestionError:
                continue
            value = Var("the value", (), body.shape)
            found = replace_nodes(local_jacobian(body, value, x.wrt), {value: body})
            if same_shape(found.shape, x.shape):
                values[x] = found
    return replace_nodes(root, values) if values else root


def without_derivatives(problem: Problem, system: System, root: Expr) -> tuple[System, Expr]:
    """The model with the adjoints that an expression needs, and the expression over them.

    Raises:
        QuestionError: it has derivatives of several quantities, or by something that is no named node.
    """
    found = [x for x in find(root, Deriv) if isinstance(x, Deriv)]
    if not found:
        return system, root
    if len({x.of for x in found}) > 1 or any(x.held or x.kind != "total" for x in found):
        raise QuestionError("an expression with derivatives of several quantities; define them one by one")
    base, of = as_node(system, found[0].of, problem)
    values: dict[Expr, Expr] = {}
    known = {(d.family, d.indices) for d in base.definitions}
    definitions = {}
    for x in found:
        if not isinstance(x.wrt, Var):
            raise QuestionError("a derivative is taken by a named node")
        code = backward_code(problem, base, of, x.wrt)
        values[x] = code.value
        definitions.update({(d.family, d.indices): d for d in code.system.definitions})
        steps = code.system.steps
    order = [definitions[k] for k in known if k not in definitions]
    return System((*definitions.values(), *order), steps), replace_nodes(root, values)
