"""Shapes and points in words."""

from symgrad.verification.judging.trials import Failure
from symgrad.verification.meaning.readings import Reading
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.meaning.world import World


def shape_words(shape: tuple[int, ...], world: World | None = None) -> str:
    """`a number`, `a vector of n entries`, `an m × n matrix`."""
    if not shape:
        return "a number"
    sizes = [_size(n, world) for n in shape]
    if len(shape) == 1:
        return f"a vector with {sizes[0]} entries"
    if len(shape) == 2:
        article = "an" if sizes[0][0] in "8n" else "a"
        return f"{article} {' × '.join(sizes)} matrix"
    return f"an array of shape {' × '.join(sizes)}"


def _size(n: int, world: World | None) -> str:
    names = [name for name, size in world.sizes.items() if size == n and name != "*"] if world is not None else []
    return names[0] if len(names) == 1 else str(n)


def described(misfit: Misfit, world: World | None = None) -> str:
    """Why shapes do not fit."""
    if not misfit.shapes:
        return misfit.what
    shapes = " and ".join(shape_words(s, world) for s in misfit.shapes)
    return f"{shapes} do not fit in a {misfit.what}" if len(misfit.shapes) > 1 else f"{misfit.what} of {shapes}"


def measured(reading: Reading) -> str:
    """On what a line rests that takes the norm of a matrix in another way than the problem."""
    which = "its entries" if reading.norms == "entries" else "the operator"
    return f"right if the norm of a matrix is that of {which}"


def at_point(failure: Failure) -> str:
    """Where the two sides differ, and by how much."""
    if failure.gap is None or failure.point is None:
        return "the two sides differ"
    world, gap = failure.point.world, failure.gap
    known = {n: k for n, k in world.sizes.items() if n != "*"} | dict(failure.point.ints)
    sizes = [f"{n} = {k}" for n, k in known.items()]
    where = f" at a random point with {', '.join(sizes)}" if sizes else ""
    entry = f"entry ({', '.join(map(str, gap.entry))}) of the left side" if gap.entry else "the left side"
    return f"{entry} is {_number(gap.expected)}, but the right side gives {_number(gap.given)}{where}"


def _number(x: float) -> str:
    return f"{x:.5g}"
