"""Plots as data."""

import math

from symgrad.derivation.steps import Plot


def record(plot: Plot) -> dict[str, object]:
    """The points of a plot, as an answer for machines has them; where there is no value, nothing."""
    curves = [{"at": c.at, "bound": c.bound, "x": c.x, "y": [*map(_finite, c.y)]} for c in plot.curves]
    across = plot.across[0] if len(plot.across) == 1 else plot.across
    return {"plot": {"x": across, "y": plot.of, "by": plot.by, "curves": curves}}


def _finite(y: float) -> float | None:
    return y if math.isfinite(y) else None
