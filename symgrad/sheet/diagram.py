"""The graph of a model as drawings: one step of it from left to right, and the steps unrolled beside one another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from symgrad.derivation.reading_order import members
from symgrad.derivation.structure.diagram import Edge, Graph, Node, graphs
from symgrad.notation.tree import Infix, OpName, Row, Sym, Text, Tree
from symgrad.problem.model import Problem
from symgrad.sheet.document import Words
from symgrad.sheet.drawing import Arrow, Box, Drawing, Point, across, backwards, box, placed
from symgrad.sheet.layered import layers
from symgrad.sheet.reading import Reading
from symgrad.sheet.unrolled import Unrolled, contracted
from symgrad.sheet.words import listed
from symgrad.tensor.nodes import Var
from symgrad.tensor.walk import variables

_SIGNS: Final = {
    "sigmoid": "sigma", "add": "plus", "entrywise product": "odot", "sub": "minus",
}  # fmt: skip
_SILENT: Final = frozenset({"", "product", "copy", "stack", "build", "entry"})
_WORDS: Final = {"cross_entropy": "CE", "logsumexp": "log-sum-exp"}
_SIDE: Final = 4.0
_MOST_NAMED: Final = 4
_PORT: Final = 9.0
_UNROLLED: Final = "Unrolled through time"
_ARROWS: Final = "solid arrows: the forward pass, dashed arrows: gradients on their way back"


def drawings(whole: Graph, cell: Graph | None, reading: Reading) -> tuple[Drawing, ...]:
    """The drawings of a graph: of one step and of all steps where it is unrolled, else of all its nodes."""
    if cell is None or not whole.steps:
        return (_layered(whole, reading, "The computation graph", True),)
    made = [_layered(cell, reading, "One step", False)]
    through_time = contracted(whole)
    if through_time.edges:
        made.append(_unrolled(through_time, reading))
    return tuple(made)


def question_drawings(problem: Problem, name: str, reading: Reading) -> tuple[Drawing, ...]:
    """What answers a question of kind diagram."""
    asked = problem.question(name).several("of")
    return drawings(*graphs(problem.system, members(*(a.expr for a in asked))), reading)


def model_drawings(problem: Problem, reading: Reading) -> tuple[Drawing, ...]:
    """The drawings of a whole model: of what nothing else reads, and all behind it."""
    system = problem.system
    read = {v.name for d in system.definitions for v in variables(d.body) if v.name != d.family}
    roots = [d.target for d in system.definitions if d.family not in read]
    return drawings(*graphs(system, roots), reading) if roots else ()


def _layered(graph: Graph, reading: Reading, title: str, leaves: bool) -> Drawing:
    """Layers from left to right; parameters are named in the boxes that use them, or boxes of their own."""
    shown = {n.var: n for n in graph.nodes if leaves or n.kind != "parameter"}
    edges = [e for e in graph.edges if e.source in shown and e.target in shown]
    boxes = {v: box(reading.math(v), _note(n, graph, reading, not leaves), n.kind) for v, n in shown.items()}
    found = layers({v: (b.width, b.height) for v, b in boxes.items()}, [(e.source, e.target) for e in edges])
    at = {v: placed(boxes[v], *found.places[v]) for v in boxes}
    arrows: list[Arrow] = []
    leaving = _ports(edges, at, lambda e: e.source, lambda e: (*found.bends[e.source, e.target], at[e.target].at)[0])
    arriving = _ports(edges, at, lambda e: e.target, lambda e: (at[e.source].at, *found.bends[e.source, e.target])[-1])
    for e in edges:
        a, b = at[e.source], at[e.target]
        bends = found.bends[e.source, e.target]
        start, end = (a.x + a.width / 2, a.y + leaving[e]), (b.x - b.width / 2, b.y + arriving[e])
        arrow = across((start, *bends, end), "skip" if bends else e.kind)
        arrows.append(arrow)
        if shown[e.source].kind != "input" or leaves:
            arrows.append(backwards(arrow, 0.0, _SIDE))
    said = tuple(_said(n, edges, reading) for n in shown.values() if any(e.target is n.var for e in edges))
    return _framed(
        Drawing(
            found.width, found.height, tuple(at.values()), tuple(arrows), (), title, (f"{title}; {_ARROWS}.",), said
        )
    )


def _ports(
    edges: Sequence[Edge], at: Mapping[Var, Box], end: Callable[[Edge], Var], near: Callable[[Edge], Point]
) -> dict[Edge, float]:
    """How far from the middle of a box each edge meets it, so that edges neither cross there nor coincide."""
    out: dict[Edge, float] = {}
    for var, b in at.items():
        own = sorted((e for e in edges if end(e) is var), key=lambda e: near(e)[1])
        apart = min(_PORT, 0.8 * b.height / max(len(own), 1))
        out |= {e: (k - (len(own) - 1) / 2) * apart for k, e in enumerate(own)}
    return out


def _unrolled(graph: Graph, reading: Reading) -> Drawing:
    boxes = {n.var: box(reading.math(n.var), None, n.kind) for n in graph.nodes}
    placed_boxes, arrows, dots, width, height = Unrolled(graph, boxes).lay()
    names = {n.var: n for n in graph.nodes}
    said = tuple(_said(n, graph.edges, reading) for n in names.values() if n.kind in ("state", "loss"))
    return _framed(Drawing(width, height, placed_boxes, arrows, dots, _UNROLLED, (f"{_UNROLLED}; {_ARROWS}.",), said))


def _framed(drawing: Drawing) -> Drawing:
    """The drawing moved so that everything in it has positive coordinates."""
    xs = [p[0] for a in drawing.arrows for p in (a.start, *(q for c in a.curves for q in c))]
    ys = [p[1] for a in drawing.arrows for p in (a.start, *(q for c in a.curves for q in c))]
    xs += [b.x + s * b.width / 2 for b in drawing.boxes for s in (-1, 1)]
    ys += [b.y + s * b.height / 2 for b in drawing.boxes for s in (-1, 1)]
    dx, dy = 2.0 - min(xs), 2.0 - min(ys)
    return replace(
        drawing,
        width=max(xs) + dx + 2.0,
        height=max(ys) + dy + 2.0,
        boxes=tuple(replace(b, x=b.x + dx, y=b.y + dy) for b in drawing.boxes),
        arrows=tuple(_shifted(a, dx, dy) for a in drawing.arrows),
        dots=tuple((x + dx, y + dy) for x, y in drawing.dots),
    )


def _shifted(a: Arrow, dx: float, dy: float) -> Arrow:
    x, y = a.start
    moved = tuple(((p + dx, q + dy), (r + dx, s + dy), (t + dx, u + dy)) for (p, q), (r, s), (t, u) in a.curves)
    return Arrow((x + dx, y + dy), moved, a.kind)


def _said(n: Node, edges: Sequence[Edge], reading: Reading) -> Words:
    sources = listed([reading.math(e.source) for e in edges if e.target is n.var])
    return (reading.math(n.var), " is computed from ", *sources)


def _note(n: Node, graph: Graph, reading: Reading, parameters: bool) -> Tree | None:
    """What computes a node, and with which parameters."""
    pieces: list[Tree] = []
    if n.op in _SIGNS:
        pieces.append(Sym(_SIGNS[n.op]))
    elif n.op not in _SILENT and not (n.kind == "loss" and n.op == "loss"):
        pieces.append(OpName(_WORDS.get(n.op, n.op)))
    named = list(_parameters(n.var, graph)) if parameters else []
    if named:
        trees = tuple(reading.math(v) for v in named[:_MOST_NAMED])
        dots = (Sym("dots"),) if len(named) > _MOST_NAMED else ()
        listed = (*trees, *dots)
        pieces += [Text(" · ")] if pieces else []
        pieces.append(listed[0] if len(listed) == 1 else Infix(listed, ("comma",) * (len(listed) - 1)))
    if not pieces:
        return None
    return pieces[0] if len(pieces) == 1 else Row(tuple(pieces))


def _parameters(var: Var, graph: Graph) -> Iterator[Var]:
    kinds = {n.var: n.kind for n in graph.nodes}
    return (e.source for e in graph.edges if e.target is var and kinds[e.source] == "parameter")
