"""Every single edit of an expression: at each part of it, what each slip of the table may have been there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from symgrad.problem.names import Names
from symgrad.syntax.tree import Binary, Call, Compare, ListTree, Span, Transpose, Tree, Unary
from symgrad.verification.diagnosis.edits import Choice, Context, Edit, Slip, Variant
from symgrad.verification.meaning.calls import POINT_BY_POINT
from symgrad.verification.surgery import Path, places, put


class Site(Struct, frozen=True):
    """A part of an expression, which edits may replace.

    Attributes:
        path: the way to it.
        around: what it stands in, the outermost first.
        differentiated: whether it stands inside ∂…/∂….
        depth: how far down the way parts have values from which that of the whole is found point by point.
    """

    path: Path
    node: Tree
    around: tuple[Tree, ...]
    differentiated: bool
    depth: int

    @property
    def valued(self) -> Tree:
        """What stands at the end of that part of the way: the node, or what it stands in."""
        return self.node if self.depth == len(self.path) else self.around[self.depth]

    @property
    def parent(self) -> Tree | None:
        """What it is a part of."""
        return self.around[-1] if self.around else None


class Offer(Struct, frozen=True):
    """What one slip may have been at a site: ``number`` is that of the slip in the table, ``rank`` that of the edit."""

    slip: Slip
    number: int
    rank: int
    edit: Variant | Choice

    def made(self, line: Tree, site: Site, filler: int) -> Edit:
        """The edit of the line, with one of the fillers where it is a choice."""
        edit = self.edit
        new, said, splices = edit.filled(edit.fillers[filler]) if isinstance(edit, Choice) else edit
        return Edit(self.slip.name, said, put(line, site.path, new), splices)


def sites(tree: Tree, names: Names) -> list[Site]:
    """The parts of an expression, the outermost first."""
    found: dict[Path, Site] = {}
    for path, node, parent in places(tree):
        if parent is None:
            found[path] = Site(path, node, (), False, 0)
            continue
        above = found[path[:-1]]
        differentiated = above.differentiated or (isinstance(parent, Call) and parent.func.id in ("jacobian", "grad"))
        goes_on = above.depth == len(above.path) and _by_points(parent, path[-1], names)
        found[path] = Site(path, node, (*above.around, parent), differentiated, above.depth + goes_on)
    return list(found.values())


def _by_points(parent: Tree, place: int, names: Names) -> bool:
    """Whether a part that stands in a place of another is a value there, from which that of the other is found."""
    match parent:
        case Binary() | Unary() | Transpose() | Compare() | ListTree():
            return True
        case Call(func, args, keywords):
            own = func.id in names.functions or func.id in names.densities
            first = any(isinstance(k.value, Span) for k in keywords) or func.id == "norm"
            return func.id in POINT_BY_POINT and not own and place < (1 if first else len(args))
    return False


def offers(site: Site, slips: Iterable[tuple[int, Slip]], context: Context) -> Iterator[Offer]:
    """What slips of the table, which are given by their numbers, may have been at a site."""
    for number, slip in slips:
        if site.differentiated and slip.name != "step":
            continue
        for rank, edit in enumerate(slip.undo(context, site.node, site.parent)):
            yield Offer(slip, number, rank, edit)
