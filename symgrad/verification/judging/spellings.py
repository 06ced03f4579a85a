"""Names that are spelled a little differently, and steps that a writer leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Subscript, Transpose, Tree
from symgrad.tensor.scalars import SCALARS
from symgrad.verification.judging.dummies import is_function_of_name
from symgrad.verification.judging.equations import Equation
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.meaning.world import sum_over
from symgrad.verification.surgery import parts, put_bare, put_names, put_trees


def at_one_step(bench: Bench, equation: Equation, notation: Notation) -> Equation | None:
    """The equation with the step put in that its writer left out everywhere; None where he did not."""
    steps = [s.name for s in bench.problem.steps]
    families = bench.names.families
    if len(steps) != 1 or is_function_of_name(equation.left):
        return None
    sides = (equation.left, equation.right)
    bare, stepped = set[str](), False
    for side in sides:
        for x in walk(side):
            if (
                isinstance(x, Subscript)
                and isinstance(x.base, Name)
                and families.get(x.base.id) is not None
                and families[x.base.id].arity
            ):
                stepped = True
        for name in _bare(side):
            family = families.get(name)
            if (
                family is not None
                and family.arity == 1
                and name not in notation.names
                and name not in notation.settings
            ):
                bare.add(name)
    if stepped or not any(sum_over(bench.problem, name) is None for name in bare):
        return None
    place = equation.left.place
    put = {name: Subscript(Name(name, place=place), (Name(steps[0], place=place),), place=place) for name in bare}
    left, right = (put_bare(side, put) for side in sides)
    return replace(equation, left=left, right=right)


def at_one_point(bench: Bench, equation: Equation, notation: Notation) -> Equation | None:
    """The equation of a function with the arguments put in that its writer left out everywhere, `m = (p + q)/2`.

    None elsewhere, and where the left side is a density or a free function: `p = q` supposes, it claims nothing.
    """
    left = equation.left
    if not (isinstance(left, Name) and left.id in bench.names.functions):
        return None
    taken = {f.name: f.parameters for f in bench.names.functions.values()}
    taken |= {d.name: d.arguments for d in bench.names.densities.values()}
    sides = (equation.left, equation.right)
    called = {x.func.id for side in sides for x in walk(side) if isinstance(x, Call)}
    bare = {name for side in sides for name in _bare(side) if name in taken and name not in notation.names}
    if not called <= SCALARS.keys() or len({taken[name] for name in bare}) != 1:
        return None
    place = equation.left.place
    put: dict[str, Tree] = {
        name: Call(Name(name, place=place), tuple(Name(x, place=place) for x in taken[name]), (), place=place)
        for name in bare
    }
    left, right = (put_bare(side, put) for side in sides)
    return replace(equation, left=left, right=right)


def _bare(tree: Tree) -> Iterator[str]:
    """The names that stand without subscripts and without arguments."""
    if isinstance(tree, Name):
        yield tree.id
    elif not (isinstance(tree, Subscript) and isinstance(tree.base, Name)):
        bound = {k.name.id for k in tree.keywords} if isinstance(tree, Call) else set()
        for part in parts(tree):
            yield from (name for name in _bare(part) if name not in bound)


def aliased(bench: Bench, equation: Equation, notation: Notation) -> tuple[Equation, str]:
    """The equation with names that are spelled a little differently as they are declared: W_f for W^f, p_t for p."""
    found: dict[str, str] = {}
    for node in (x for side in (equation.left, equation.right) for x in walk(side)):
        if isinstance(node, Name) and node.id not in found and node.id not in notation.names:
            other = declared_as(bench, node.id)
            if other is not None:
                found[node.id] = other
    bare: dict[Tree, Tree] = {}
    for node in (x for side in (equation.left, equation.right) for x in walk(side)):
        match node:
            case Subscript(Name(name) as base, (Name(label),)) if _is_plain(bench, name, label):
                bare[node] = base
                found[f"{name}_{label}"] = name
    equation, primed = _transposed_by_primes(bench, equation, notation)
    if not found:
        return equation, primed
    left, right = (put_names(put_trees(side, bare), found) for side in (equation.left, equation.right))
    said = " and ".join(filter(None, [primed, *(f"{name} is read as {other}" for name, other in found.items())]))
    return replace(equation, left=left, right=right), said


def _transposed_by_primes(bench: Bench, equation: Equation, notation: Notation) -> tuple[Equation, str]:
    """The right side with V′ read as Vᵀ, where V is a vector or a matrix and V′ nothing else."""
    found: dict[Tree, Tree] = {}
    for x in walk(equation.right):
        base = x.base if isinstance(x, Subscript) else x
        if not isinstance(base, Name) or not base.id.endswith("prime") or base.id in notation.names:
            continue
        plain = base.id.removesuffix("prime")
        order = bench.names.vocabulary.orders.get(plain, 0)
        if order and base.id not in bench.names.families and base not in found:
            name = Name(plain, place=base.place)
            whole: Tree = Subscript(name, x.items, place=x.place) if isinstance(x, Subscript) else name
            found[x] = Transpose(whole, place=x.place)
    if not found:
        return equation, ""
    return replace(equation, right=put_trees(equation.right, found)), "a prime is read as a transpose"


def _is_plain(bench: Bench, name: str, label: str) -> bool:
    """Whether a declared number bears a label that says nothing: p_t, where only p is declared."""
    family = bench.names.families.get(name)
    if family is None or family.arity or label not in _LABELS:
        return False
    if label in bench.names.indices or label in bench.names.sizes:
        return False
    node = bench.worlds[0].node(name, ())
    return node is not None and not node.shape


def declared_as(bench: Bench, name: str) -> str | None:
    """The declared name that is spelled so, W__f for W_f; None where there is none, or several."""
    names = bench.names
    if (
        name in names.families
        or name in names.sizes
        or name in names.indices
        or name in names.functions
        or "_" not in name
    ):
        return None
    same = [n for n in names.families if n.replace("_", "") == name.replace("_", "")]
    if len(same) == 1:
        return same[0]
    stem, _, label = name.partition("_")
    plain = stem in names.families and names.families[stem].arity == 0
    like = [n for n in names.families if n.startswith(f"{stem}_")]
    return stem if plain and not like and label in _LABELS else None


_LABELS = frozenset({"t", "i", "true", "c", "k", "y"})
