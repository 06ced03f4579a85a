"""Divergences between normal laws as people write them, without a variable: KL(N(μ, σ²I) ‖ N(0, I))."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Keyword, ListTree, Name, Number, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import PRODUCTS, factors, multiplied, operators, put_trees

_LAW = "N"


def with_normal_laws(bench: Bench, tree: Tree) -> Tree:
    """The tree with both laws of a divergence as the problem language has them, normal(u, mean=, cov=).

    The variable is integrated out: any input with the order of a mean serves that does not stand in the laws.
    """
    found: dict[Tree, Tree] = {}
    for x in walk(tree):
        match x:
            case Call(Name("KL"), (one, other), _):
                laws = [_moments(side) for side in (one, other)]
                new = [law for law in laws if law is not None]
                variable = _variable(bench, [moment for law in new for moment in law]) if len(new) == 2 else None
                if variable is not None:
                    found[x] = x.replaced(args=tuple(_normal(bench, variable, *law) for law in new))
    return put_trees(tree, found)


def _moments(tree: Tree) -> tuple[Tree, Tree] | None:
    """The mean and the covariance of N(μ, Σ) and N(z; μ, Σ)."""
    match tree:
        case Call(Name("N"), (*_, mean, cov), ()):
            return mean, cov
        case Binary("implicit", Name("N"), ListTree((*_, mean, cov)) | Call(Name("concat"), (*_, mean, cov))):
            return mean, cov
    return None


def _normal(bench: Bench, variable: str, mean: Tree, cov: Tree) -> Tree:
    place = mean.place
    bare = _without_identity(cov)
    spread = Call(Name("diag", place=place), (bare,), (), place=place) if _order(bench, bare) == 1 else bare
    keywords = (
        Keyword(Name("mean", place=place), mean, place=place),
        Keyword(Name("cov", place=place), spread, place=place),
    )
    return Call(Name("normal", place=place), (Name(variable, place=place),), keywords, place=place)


def _without_identity(cov: Tree) -> Tree:
    """σ² for σ²I, and 1 for I: a number, or the variances of the entries."""
    if _is_identity(cov):
        return Number(Fraction(1), "1", place=cov.place)
    if isinstance(cov, Binary) and cov.op in PRODUCTS:
        row, signs = factors(cov), operators(cov)
        if _is_identity(row[-1]):
            return multiplied(row[:-1], signs[:-1])
        if _is_identity(row[0]):
            return multiplied(row[1:], signs[1:])
    return cov


def _is_identity(tree: Tree) -> bool:
    return (isinstance(tree, Call) and tree.func.id == "identity") or (isinstance(tree, Name) and tree.id == "I")


def _variable(bench: Bench, inside: list[Tree]) -> str | None:
    """An input that may be the variable of laws with some moments."""
    used = {x.id for tree in inside for x in walk(tree) if isinstance(x, Name)}
    order = max((_order(bench, mean) for mean in inside[::2]), default=0)
    return next(
        (name for name in _inputs(bench) if name not in used and bench.names.vocabulary.orders[name] == order), None
    )


def _inputs(bench: Bench) -> Iterator[str]:
    for name, family in bench.names.families.items():
        free = not bench.problem.system.family(name) and not bench.problem.facts.get(name)
        if family.arity == 0 and free and name in bench.names.vocabulary.orders:
            yield name


def _order(bench: Bench, tree: Tree) -> int:
    try:
        return bench.meaning(bench.worlds[0], PLAIN, Notation()).value(tree, {}).order
    except (Unclear, Outside, Misfit, SymgradError, ShapeError):
        return 0
