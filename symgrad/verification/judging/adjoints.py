"""Names that customarily stand for derivatives of the loss: δh for ∂L/∂h."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.calculus.dependency import reach
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Name, Subscript, Tree
from symgrad.verification.judging.trials import has_derivative
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Adjoint, Defined, Notation
from symgrad.verification.meaning.world import depending, total_loss


def customary_adjoint(bench: Bench, name: Name) -> Adjoint | None:
    """The derivative of the loss that a name such as δh customarily is; None where it is another name."""
    if name.id in bench.names.values():
        return None
    target = target_of(name.id, bench)
    losses = total_loss(bench.problem, target)
    if target is None or not losses or target == losses[0].family:
        return None
    return Adjoint(name.id, Name(losses[0].family, place=name.place), target)


def target_of(name: str, bench: Bench) -> str | None:
    """The family whose adjoint a name customarily is: δh for ∂L/∂h, dh, h̄."""
    stems = [name.removeprefix(p) for p in ("δ", "delta_", "delta__", "d_", "d", "grad_") if name.startswith(p)]
    stems += [name.removesuffix(p) for p in ("bar", "_bar") if name.endswith(p)]
    return next((stem for stem in stems if stem in bench.names.families), None)


def adjoints(bench: Bench, own: Name, subscripts: int) -> Iterator[Adjoint]:
    """The adjoints a name may stand for, the customary one first."""
    target = target_of(own.id, bench)
    if target is None and own.id not in _ADJOINTS:
        return
    losses = [Name(d.family, place=own.place) for d in total_loss(bench.problem, target)]
    families = [n for n, f in bench.names.families.items() if f.arity == subscripts]
    chosen = [n for n in families if n == target] if target is not None else families
    for loss in losses:
        for family in chosen:
            if family != loss.id:
                yield Adjoint(own.id, loss, family)


def are_differentials(bench: Bench, left: Tree, right: Tree) -> bool:
    """Whether dE = (ŷ − y)ᵀ dz is between differentials: E depends on z. Adjoints go the other way, dz = Vᵀ do."""
    base = left
    while isinstance(base, Subscript):
        base = base.base
    of = _differentiated(bench, base)
    if of is None:
        return False
    reads = depending(bench.problem)
    by = {name for x in walk(right) if (name := _differentiated(bench, x)) is not None}
    return any(name in reach(of, reads) and of not in reach(name, reads) for name in by)


def _differentiated(bench: Bench, tree: Tree) -> str | None:
    """z where dz stands."""
    if not isinstance(tree, Name) or tree.id in bench.names.families or not tree.id.startswith("d"):
        return None
    return target_of(tree.id, bench)


# Deciding


def is_adjoint(tree: Tree, notation: Notation) -> bool:
    """Whether a side is δ_t, which stands for ∂L/∂h_t, or another name of the writer's for a derivative."""
    base = tree
    while isinstance(base, Subscript):
        base = base.base
    if not isinstance(base, Name):
        return False
    return any(
        isinstance(m, Adjoint) or (isinstance(m, Defined) and has_derivative(m.body))
        for m in notation.names.get(base.id, [])
    )


_ADJOINTS = frozenset({"delta", "δ", "g", "epsilon", "lambda", "e"})
