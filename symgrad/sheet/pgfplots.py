"""Charts as source for the TeX package pgfplots."""

import math
from typing import Final

from symgrad.notation.latex import latex
from symgrad.sheet.chart import Chart, Words
from symgrad.sheet.plotting import COLOURS

_SIZE: Final = (r"width=0.68\linewidth", r"height=0.45\linewidth", "enlarge x limits=false")
_MAP: Final = "colormap={symgrad}{rgb255=(247,251,255) rgb255=(8,48,107)}"
_AXES: Final = (
    "axis lines=left",
    "grid=major",
    "grid style={line width=0.2pt,draw=black!20}",
    "legend pos=outer north east",
    "legend style={draw=none}",
)


def pgfplots(chart: Chart) -> str:
    """The chart for the TeX package pgfplots."""
    common = [f"xlabel={{{_tex(chart.across)}}}", *_SIZE]
    if chart.contours:
        bar = f"colorbar style={{title={{{_tex(chart.up)}}}}}"
        options = [*common, f"ylabel={{{_tex(chart.by)}}}", "view={0}{90}", "colorbar", bar, _MAP]
        body = _surface(chart)
    else:
        options = [*common, f"ylabel={{{_tex(chart.up)}}}", *_AXES, *(["ymode=log"] if chart.logarithmic else [])]
        body = _lines(chart)
    opened = f"\\begin{{axis}}[{', '.join(options)}]"
    return "\n".join([r"\begin{tikzpicture}", opened, *body, r"\end{axis}", r"\end{tikzpicture}"])


def _lines(chart: Chart) -> list[str]:
    out: list[str] = []
    values = list(dict.fromkeys(c.at for c in chart.curves))
    for c in chart.curves:
        place = values.index(c.at) % len(COLOURS)
        out.append(rf"\definecolor{{curve{place}}}{{HTML}}{{{COLOURS[place].removeprefix('#').upper()}}}")
        style = "dashed, thin, forget plot" if c.bound else "thick"
        points = " ".join(f"({x:.5g},{y:.5g})" for x, y in zip(c.x, c.y, strict=True) if math.isfinite(y))
        out.append(rf"\addplot[curve{place}, {style}] coordinates {{{points}}};")
        if not c.bound and (label := chart.label(c)):
            out.append(rf"\addlegendentry{{{_tex(label)}}}")
    return out


def _surface(chart: Chart) -> list[str]:
    step = max(1, len(chart.curves[0].x) // 40)
    rows = [
        "".join(f"({x:.5g},{c.at:.5g},{y:.5g})" for x, y in zip(c.x[::step], c.y[::step], strict=True))
        for c in chart.curves
    ]
    columns = len(chart.curves[0].x[::step])
    return [rf"\addplot3[surf, shader=interp, mesh/cols={columns}] coordinates {{", *rows, "};"]


def _tex(words: Words) -> str:
    return "".join(w if isinstance(w, str) else f"${latex(w)}$" for w in words)
