"""A graph without circles in layers from left to right: few crossings, and lines that go round the boxes."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from msgspec import Struct

Key: TypeAlias = Hashable
_SWEEPS: Final = 12
_GAP: Final = 34.0
_BETWEEN: Final = 10.0
_LANE: Final = 8.0
_FIRM: Final = 1000.0


class Layers(Struct, frozen=True):
    """Centres of the nodes, and the points that each edge goes through between its ends."""

    places: Mapping[Key, tuple[float, float]]
    bends: Mapping[tuple[Key, Key], tuple[tuple[float, float], ...]]
    width: float
    height: float


def layers(sizes: Mapping[Key, tuple[float, float]], edges: Sequence[tuple[Key, Key]]) -> Layers:
    """The layout of nodes of given widths and heights.

    An edge between layers that do not touch has a lane of its own through those between.
    """
    ranks = _ranks(list(sizes), edges)
    chains = {e: _chain(e, ranks) for e in dict.fromkeys(edges)}
    rows: list[list[Key]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for key in sizes:
        rows[ranks[key]].append(key)
    for (a, _), chain in chains.items():
        for k, lane in enumerate(chain[1:-1]):
            rows[ranks[a] + k + 1].append(lane)
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    before, after = _neighbours(links)
    _order(rows, before, after)
    heights = {key: sizes[key][1] if key in sizes else _LANE for row in rows for key in row}
    ys = _heights(rows, heights, before, after)
    xs, width = _columns(rows, sizes)
    low = min(ys[k] - heights[k] / 2 for row in rows for k in row)
    high = max(ys[k] + heights[k] / 2 for row in rows for k in row)
    places = {key: (xs[ranks[key]][0], ys[key] - low) for key in sizes}
    bends = {}
    for edge, chain in chains.items():
        points: list[tuple[float, float]] = []
        for k, lane in enumerate(chain[1:-1]):
            centre, half = xs[ranks[edge[0]] + k + 1]
            points += [(centre - half, ys[lane] - low), (centre + half, ys[lane] - low)]
        bends[edge] = tuple(points)
    return Layers(places, bends, width, high - low)


def _ranks(nodes: Sequence[Key], edges: Sequence[tuple[Key, Key]]) -> dict[Key, int]:
    """The longest way to a node; what only begins ways stands directly before what reads it first."""
    rank = dict.fromkeys(nodes, 0)
    for _ in nodes:
        changed = False
        for a, b in edges:
            if rank[b] < rank[a] + 1:
                rank[b] = rank[a] + 1
                changed = True
        if not changed:
            break
    fed = {b for _, b in edges}
    for node in nodes:
        if node not in fed:
            rank[node] = min((rank[b] for a, b in edges if a == node), default=1) - 1
    return rank


def _chain(edge: tuple[Key, Key], ranks: Mapping[Key, int]) -> tuple[Key, ...]:
    a, b = edge
    return (a, *((edge, k) for k in range(ranks[a] + 1, ranks[b])), b)


def _neighbours(links: Sequence[tuple[Key, Key]]) -> tuple[dict[Key, list[Key]], dict[Key, list[Key]]]:
    before: dict[Key, list[Key]] = {}
    after: dict[Key, list[Key]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    return before, after


def _order(rows: list[list[Key]], before: Mapping[Key, list[Key]], after: Mapping[Key, list[Key]]) -> None:
    """Each layer sorted by where its neighbours stand, there and back until nothing crosses less."""
    best, fewest = [list(r) for r in rows], _crossings(rows, after)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for k in order:
            beside = rows[k - 1] if down else rows[k + 1]
            place = {key: i for i, key in enumerate(beside)}
            near = before if down else after
            own = {key: i for i, key in enumerate(rows[k])}

            def middle(
                key: Key,
                near: Mapping[Key, list[Key]] = near,
                place: Mapping[Key, int] = place,
                own: Mapping[Key, int] = own,
                scale: float = len(beside) / max(len(rows[k]), 1),
            ) -> float:
                found = [place[n] for n in near.get(key, ()) if n in place]
                return sum(found) / len(found) if found else own[key] * scale

            rows[k].sort(key=middle)
        crossings = _crossings(rows, after)
        if crossings < fewest:
            best, fewest = [list(r) for r in rows], crossings
    for row, found in zip(rows, best, strict=True):
        row[:] = found


def _crossings(rows: Sequence[Sequence[Key]], after: Mapping[Key, list[Key]]) -> int:
    total = 0
    for row, following in pairwise(rows):
        place = {key: i for i, key in enumerate(following)}
        ends = [place[b] for a in row for b in sorted(after.get(a, ()), key=lambda k: place.get(k, 0)) if b in place]
        total += sum(x > y for i, x in enumerate(ends) for y in ends[i + 1 :])
    return total


def _heights(
    rows: Sequence[Sequence[Key]],
    heights: Mapping[Key, float],
    before: Mapping[Key, list[Key]],
    after: Mapping[Key, list[Key]],
) -> dict[Key, float]:
    """Every node as near to the middle of its neighbours as the order in its layer lets it be."""
    ys: dict[Key, float] = {}
    for row in rows:
        y = 0.0
        for key in row:
            ys[key] = y + heights[key] / 2
            y += heights[key] + _BETWEEN
        for key in row:
            ys[key] -= y / 2
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else list(reversed(rows)):
            wanted = []
            for key in row:
                near = [ys[n] for n in (*before.get(key, ()), *after.get(key, ()))]
                wanted.append(sum(near) / len(near) if near else ys[key])
            _settle(row, wanted, (), ys, heights)
    _straighten(rows, ys, heights, before, after)
    return ys


def _straighten(
    rows: Sequence[Sequence[Key]],
    ys: dict[Key, float],
    heights: Mapping[Key, float],
    before: Mapping[Key, list[Key]],
    after: Mapping[Key, list[Key]],
) -> None:
    """Chains made level: a node stands as high as the one that it carries on, and inputs close by what reads them."""
    mains = _mains(rows, before)
    for row in rows:
        wanted = [ys[mains[key]] if key in mains else ys[key] for key in row]
        _settle(row, wanted, [_FIRM if key in mains else 1.0 for key in row], ys, heights)
    for row in reversed(rows):
        read = [after[key] if not before.get(key) and key in after else [] for key in row]
        wanted = [
            sum(ys[n] for n in near) / len(near) if near else ys[key] for key, near in zip(row, read, strict=True)
        ]
        _settle(row, wanted, [1.0 if near else _FIRM for near in read], ys, heights)


def _mains(rows: Sequence[Sequence[Key]], before: Mapping[Key, list[Key]]) -> dict[Key, Key]:
    """Of each node the one it carries on: the only one before it that is no input, if no other carries that on."""
    claims: dict[Key, Key] = {}
    for row in rows:
        for key in row:
            computed = [n for n in before.get(key, ()) if before.get(n)]
            if len(computed) == 1:
                claims[key] = computed[0]
    claimed = list(claims.values())
    return {key: main for key, main in claims.items() if claimed.count(main) == 1}


def _settle(
    row: Sequence[Key],
    wanted: Sequence[float],
    weights: Sequence[float],
    ys: dict[Key, float],
    heights: Mapping[Key, float],
) -> None:
    spans = [(heights[a] + heights[b]) / 2 + _BETWEEN for a, b in pairwise(row)]
    ys.update(zip(row, spread(wanted, spans, weights), strict=True))


def spread(wanted: Sequence[float], spans: Sequence[float], weights: Sequence[float] = ()) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep these distances, by pooling neighbours."""
    offsets = [0.0] * bool(wanted)
    for s in spans:
        offsets.append(offsets[-1] + s)
    pools: list[tuple[float, float, int]] = []
    for w, o, weight in zip(wanted, offsets, weights or [1.0] * len(wanted), strict=True):
        pools.append((w - o, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, u, n), (b, v, m) = pools[-2], pools[-1]
            pools[-2:] = [((a * u + b * v) / (u + v), u + v, n + m)]
    flat = [mean for mean, _, n in pools for _ in range(n)]
    return [f + o for f, o in zip(flat, offsets, strict=True)]


def _columns(
    rows: Sequence[Sequence[Key]], sizes: Mapping[Key, tuple[float, float]]
) -> tuple[list[tuple[float, float]], float]:
    """The middle and half the width of each column, and the width of all."""
    out: list[tuple[float, float]] = []
    x = 0.0
    for row in rows:
        wide = max((sizes[k][0] for k in row if k in sizes), default=0.0)
        out.append((x + wide / 2, wide / 2))
        x += wide + _GAP
    return out, x - _GAP
