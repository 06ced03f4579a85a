"""A recurrence through time: one column a step, one row a state; inputs below, losses above."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from symgrad.derivation.structure.diagram import Edge, Graph, Node
from symgrad.sheet.drawing import Arrow, Box, Point, across, backwards, placed, upwards
from symgrad.tensor.integers import Int, difference, same
from symgrad.tensor.nodes import Var

_COLUMN_GAP: Final = 26.0
_ROW_GAP: Final = 30.0
_BESIDE: Final = 8.0
_LANE: Final = 9.0
_TRACK: Final = 6.0
_SIDE: Final = 4.0
_DOTS_WIDTH: Final = 16.0
_SHOWN: Final = frozenset({"state", "loss", "input", "boundary"})


def contracted(graph: Graph) -> Graph:
    """The graph of states, inputs and losses: what lies between them is left out, parameters too."""
    kinds = {n.var: n.kind for n in graph.nodes}
    steps = {n.var: n.step for n in graph.nodes}
    into: dict[Var, list[Var]] = {}
    for e in graph.edges:
        into.setdefault(e.target, []).append(e.source)

    def sources(var: Var, seen: set[Var]) -> list[Var]:
        found: list[Var] = []
        for s in into.get(var, ()):
            if s in seen:
                continue
            seen.add(s)
            found += [s] if kinds[s] in _SHOWN else sources(s, seen) if kinds[s] == "node" else []
        return found

    kept = [n for n in graph.nodes if n.kind in _SHOWN]
    edges = [Edge(s, n.var, _kind(steps[s], steps[n.var])) for n in kept for s in dict.fromkeys(sources(n.var, set()))]
    used = {v for e in edges for v in (e.source, e.target)}
    return Graph(tuple(n for n in kept if n.var in used), tuple(edges), graph.steps)


def _kind(a: Int | None, b: Int | None) -> str:
    if a is None or b is None or same(a, b):
        return "forward"
    gap = difference(b, a)
    return "recurrent" if isinstance(gap, int) and abs(gap) == 1 else "skip"


class Unrolled(Struct):
    """The layout of an unrolled graph whose boxes have their sizes."""

    graph: Graph
    boxes: Mapping[Var, Box]
    columns: list[Int | None] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    placed: dict[Var, Box] = field(default_factory=dict)
    dots: dict[int, Point] = field(default_factory=dict)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    nodes: dict[Var, Node] = field(default_factory=dict)
    x_end: float = 0.0
    y_end: float = 0.0

    def lay(self) -> tuple[tuple[Box, ...], tuple[Arrow, ...], tuple[Point, ...], float, float]:
        """The boxes, the arrows, the dots for steps left out, width and height."""
        self.nodes = {n.var: n for n in self.graph.nodes if not self._elided(n)}
        steps = {n.step: None for n in self.nodes.values() if n.step is not None}
        before = sorted((s for s in steps if self._before(s)), key=lambda s: -self._distance(s))
        after = sorted((s for s in steps if self._after(s)), key=self._distance)
        self.columns = [*before, *self.graph.steps, *after]
        self._assign_rows()
        self._place()
        arrows = self._arrows()
        return tuple(self.placed.values()), tuple(arrows), tuple(self.dots.values()), self.x_end, self.y_end

    def _distance(self, step: Int) -> int:
        """How far a step lies outside those shown."""
        for gap in (difference(self._first, step), difference(step, self._last)):
            if isinstance(gap, int) and gap > 0:
                return gap
        return 0

    def _elided(self, n: Node) -> bool:
        """Whether it stands at a step that the dots stand for."""
        if n.step is None or None not in self.graph.steps or self._column_of(n.step, self.graph.steps) is not None:
            return False
        return not self._before(n.step) and not self._after(n.step)

    def _before(self, step: Int | None) -> bool:
        gap = None if step is None else difference(self._first, step)
        return isinstance(gap, int) and gap > 0

    def _after(self, step: Int | None) -> bool:
        gap = None if step is None else difference(step, self._last)
        return isinstance(gap, int) and gap > 0

    @property
    def _first(self) -> Int:
        return next(s for s in self.graph.steps if s is not None)

    @property
    def _last(self) -> Int:
        return next(s for s in reversed(self.graph.steps) if s is not None)

    def _column_of(self, step: Int | None, columns: Sequence[Int | None]) -> int | None:
        return next((k for k, s in enumerate(columns) if s is not None and step is not None and same(s, step)), None)

    def column(self, var: Var) -> int | None:
        """The column of a node; None for one without a step."""
        return self._column_of(self.nodes[var].step, self.columns)

    def _assign_rows(self) -> None:
        """A row of its own for every state; inputs of a loss alone stand beside it."""
        families = {n.var.name: n for n in self.nodes.values() if n.kind != "boundary"}
        families |= {n.var.name: n for n in self.nodes.values() if n.var.name not in families}
        inner = {
            (e.source.name, e.target.name)
            for e in self.graph.edges
            if e.kind == "forward" and e.source.name in families and e.target.name in families
        }
        depth = dict.fromkeys(families, 0)
        for _ in families:
            for a, b in inner:
                depth[b] = max(depth[b], depth[a] + 1)
        readers: dict[str, set[str]] = {}
        for a, b in inner:
            readers.setdefault(a, set()).add(b)
        beside = {
            f: next(iter(readers[f]))
            for f, n in families.items()
            if n.kind == "input" and len(readers.get(f, ())) == 1 and families[next(iter(readers[f]))].kind == "loss"
        }
        row = -1
        inputs = [f for f, n in families.items() if n.kind == "input" and f not in beside]
        for k, f in enumerate(inputs):
            self.rows[f], self.slots[f], row = 0, k, 0
        rest = [f for f in families if f not in inputs and f not in beside]
        for f in sorted(rest, key=lambda f: (self._is_global(families[f]), depth[f])):
            row += 1
            self.rows[f], self.slots[f] = row, 0
        for f, reader in beside.items():
            self.rows[f] = self.rows[reader]
            self.slots[f] = 1 + sum(self.rows[g] == self.rows[reader] and g in beside for g in self.slots)

    @staticmethod
    def _is_global(n: Node) -> bool:
        return n.step is None

    def _place(self) -> None:
        count = max(self.rows.values()) + 1
        lanes = {k: self._lanes(k) for k in range(len(self.columns))}
        x = 0.0
        for k, step in enumerate(self.columns):
            sides = [self._sides(k, r) for r in range(count)]
            left, right = (max(side) for side in zip(*sides, strict=True))
            if step is None:
                left = right = _DOTS_WIDTH / 2
            x += _LANE * lanes[k] + left
            self.x.append(x)
            self.left.append(left)
            x += right + _COLUMN_GAP
        self.x_end = x - _COLUMN_GAP
        heights = [
            max((b.height for v, b in self.boxes.items() if self.rows.get(v.name) == r), default=0.0)
            for r in range(count)
        ]
        y = 0.0
        ys = [0.0] * count
        for r in reversed(range(count)):
            ys[r] = y + heights[r] / 2
            y += heights[r] + _ROW_GAP + _TRACK * self._tracks(r)
        self.y = ys
        self.y_end = y - _ROW_GAP - _TRACK * self._tracks(0)
        for k in range(len(self.columns)):
            for r in range(count):
                left = self.x[k] - self._sides(k, r)[0]
                for v in self._row_vars(k, r):
                    self.placed[v] = placed(self.boxes[v], left + self.boxes[v].width / 2, ys[r])
                    left += self.boxes[v].width + _BESIDE
        for v, n in self.nodes.items():
            if self._is_global(n):
                self.placed[v] = placed(self.boxes[v], self.x_end / 2, ys[self.rows[v.name]])
        for k, s in enumerate(self.columns):
            if s is None:
                for f, r in self.rows.items():
                    if any(n.var.name == f and n.kind == "state" for n in self.nodes.values()):
                        self.dots[r] = (self.x[k], ys[r])

    def _row_vars(self, k: int, r: int) -> list[Var]:
        found = [v for v in self.nodes if self.rows[v.name] == r and self.column(v) == k]
        return sorted(found, key=lambda v: self.slots[v.name])

    def _sides(self, k: int, r: int) -> tuple[float, float]:
        """How far the boxes of a cell reach to the left and right of the middle of the column.

        The first of them stands in the middle, with what it alone reads beside it; inputs share the middle.
        """
        widths = [self.boxes[v].width for v in self._row_vars(k, r)]
        if not widths:
            return 0.0, 0.0
        whole = sum(widths) + _BESIDE * (len(widths) - 1)
        left = whole / 2 if r == 0 else widths[0] / 2
        return left, whole - left

    def _lanes(self, k: int) -> int:
        return len(self._long(k))

    def _long(self, k: int) -> list[tuple[str, str]]:
        """The edges in a column that go past a row, by their families."""
        return [
            (e.source.name, e.target.name)
            for e in self.graph.edges
            if e.kind == "forward"
            and e.source in self.nodes
            and e.target in self.nodes
            and self.column(e.source) == k
            and self.rows[e.target.name] - self.rows[e.source.name] > 1
        ]

    def _tracks(self, row: int) -> int:
        """How many lines run under a row, past the steps between."""
        gaps = [self._jump(e) for e in self.graph.edges if e.kind == "skip" and self.rows.get(e.target.name) == row]
        return sum(sorted({g for g in gaps if g is not None and g > 1}))

    def _jump(self, e: Edge) -> int | None:
        a, b = self._column_of(self._step(e.source), self.columns), self._column_of(self._step(e.target), self.columns)
        return None if a is None or b is None else abs(b - a)

    def _step(self, var: Var) -> Int | None:
        return next((n.step for n in self.graph.nodes if n.var is var), None)

    def _arrows(self) -> list[Arrow]:
        out: list[Arrow] = []
        seen: set[Var] = set()
        for e in self.graph.edges:
            if e.target not in self.placed:
                continue
            if e.source in self.placed:
                arrow, dx, dy = self._between(e)
            else:
                if e.target not in seen and e.source.name == e.target.name:
                    seen.add(e.target)
                    out += self._from_before(e)
                continue
            out.append(arrow)
            if self.nodes[e.source].kind != "input":
                out.append(backwards(arrow, dx, dy))
        return out

    def _from_before(self, e: Edge) -> list[Arrow]:
        """From the step before, for a state at a step that is not shown; through the dots where they are in between."""
        k = self.column(e.target)
        if not k:
            return []
        target, row = self.placed[e.target], self.rows[e.target.name]
        dotted = self.columns[k - 1] is None
        beside = self._row_vars(k - 2 if dotted else k - 1, row)
        left = next((self.placed[v] for v in beside if v.name == e.source.name), None)
        start = None if left is None else (left.x + left.width / 2, left.y)
        end = (target.x - target.width / 2, target.y)
        pieces = [(start, end)]
        if dotted:
            x, y = self.dots[row]
            pieces = [((x + _DOTS_WIDTH / 2, y), end), (start, (x - _DOTS_WIDTH / 2, y))]
        arrows = [across((a, b), "recurrent") for a, b in pieces if a is not None]
        return [a for arrow in arrows for a in (arrow, backwards(arrow, 0.0, _SIDE))]

    def _between(self, e: Edge) -> tuple[Arrow, float, float]:
        """The arrow of an edge, and to which side the gradient flows back."""
        a, b = self.placed[e.source], self.placed[e.target]
        if e.kind == "forward":
            return self._rising(e, a, b)
        forward = b.x > a.x
        start = (a.x + (a.width if forward else -a.width) / 2, a.y)
        end = (b.x - (b.width if forward else -b.width) / 2, b.y)
        jump = self._jump(e) or 1
        if jump == 1:
            return across((start, end), e.kind), 0.0, _SIDE
        drop = b.height / 2 + _TRACK * (1.5 + self._track(e, jump))
        gap = _COLUMN_GAP / 2 if forward else -_COLUMN_GAP / 2
        low = max(a.y, b.y) + drop
        lifted = ((start[0], start[1] + 5.0), (start[0] + gap, low), (end[0] - gap, low), (end[0], end[1] + 5.0))
        return across(lifted, e.kind), 0.0, _SIDE

    def _track(self, e: Edge, jump: int) -> int:
        lower = sorted({j for x in self.graph.edges if (j := self._jump(x)) is not None and 1 < j < jump})
        return 2 * (sum(lower) + (self.column(e.source) or 0) % jump)

    def _rising(self, e: Edge, a: Box, b: Box) -> tuple[Arrow, float, float]:
        if self.rows[e.source.name] == self.rows[e.target.name]:
            right = a.x > b.x
            side = -0.5 if right else 0.5
            return across(((a.x + side * a.width, a.y), (b.x - side * b.width, b.y)), e.kind), 0.0, _SIDE
        # Where many arrows meet, they spread over the width of the box.
        port = 0.7 * b.width * (a.x - b.x) / max(self.x_end, 1.0)
        start, end = (a.x, a.y - a.height / 2), (b.x + port, b.y + b.height / 2)
        between = self.rows[e.target.name] - self.rows[e.source.name]
        k = self.column(e.source)
        if between <= 1 or k is None:
            return upwards((start, end), e.kind), _SIDE, 0.0
        lane = self.x[k] - self.left[k] - _LANE * (0.7 + self._long(k).index((e.source.name, e.target.name)))
        low = self.y[self.rows[e.source.name] + 1] + 14.0
        high = self.y[self.rows[e.target.name] - 1] - 14.0
        return upwards((start, (lane, low), (lane, high), end), e.kind), _SIDE, 0.0
