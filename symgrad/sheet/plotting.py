"""Charts as pictures by matplotlib, which is loaded when one is asked for; the same bytes every time."""

from __future__ import annotations

import base64
import io
from importlib.util import find_spec
from typing import Any, Final

from symgrad.errors import MachineError
from symgrad.lazy import later
from symgrad.sheet.chart import Chart, text

new_figure, rc_context = later("matplotlib.figure:Figure"), later("matplotlib:rc_context")
integer_ticks = later("matplotlib.ticker:MaxNLocator")
MISSING: Final = "a plot needs matplotlib: pip install 'symgrad[plots]'"
_SIZE: Final = (5.8, 3.6)
COLOURS: Final = ("#1f4fa3", "#b03a2e", "#2e7d4f", "#8e5ea2", "#c77700", "#3b8ea5", "#555555", "#a0522d")
_LOOK: Final = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "font.size": 11.0,
    "svg.hashsalt": "symgrad",
    "svg.fonttype": "path",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
}
_DATELESS: Final = {
    "svg": dict.fromkeys(("Date", "Creator")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "png": {"Software": None},
}
_LEVELS: Final = 10


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def picture(chart: Chart, format: str) -> bytes:
    """The chart as svg, pdf or png.

    Raises:
        MachineError: matplotlib is not installed.
    """
    if not available():
        raise MachineError(MISSING)
    out = io.BytesIO()
    with rc_context(_LOOK):
        figure = new_figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        (_contours if chart.contours else _curves)(chart, figure, axes)
        axes.set_xlabel(text(chart.across))
        axes.set_ylabel(text(chart.by if chart.contours else chart.up))
        figure.savefig(out, format=format, dpi=200, metadata=_DATELESS[format])
    return out.getvalue()


def svg(chart: Chart) -> str:
    """The chart as an SVG document."""
    return picture(chart, "svg").decode()


def uri(chart: Chart) -> str:
    """The chart as a data URI."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture(chart, 'svg')).decode()}"


def _curves(chart: Chart, figure: Any, axes: Any) -> None:
    values = list(dict.fromkeys(c.at for c in chart.curves))
    for c in chart.curves:
        colour = COLOURS[values.index(c.at) % len(COLOURS)]
        label = None if c.bound else text(chart.label(c)) or None
        style, width = ("--", 1.0) if c.bound else ("-", 1.6)
        axes.plot(c.x, c.y, color=colour, linestyle=style, linewidth=width, label=label)
    if chart.logarithmic:
        axes.set_yscale("log")
    axes.grid(visible=True, linewidth=0.4, alpha=0.4)
    axes.margins(x=0)
    if all(x.is_integer() for c in chart.curves for x in c.x):
        axes.xaxis.set_major_locator(integer_ticks(integer=True))
    if any(chart.label(c) for c in chart.curves):
        axes.legend(frameon=False)


def _contours(chart: Chart, figure: Any, axes: Any) -> None:
    heights = [list(c.y) for c in chart.curves]
    across, up = list(chart.curves[0].x), [c.at for c in chart.curves]
    filled = axes.contourf(across, up, heights, levels=2 * _LEVELS, cmap="Blues")
    lines = axes.contour(across, up, heights, levels=_LEVELS, colors="#333333", linewidths=0.6)
    axes.clabel(lines, fontsize=8)
    figure.colorbar(filled, label=text(chart.up))
