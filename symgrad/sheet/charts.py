"""Plots of a derivation as charts of a sheet: axes, curves and caption named in the problem's notation."""

from msgspec.structs import replace

from symgrad.derivation.steps import Curve, Plot
from symgrad.sheet.chart import Chart, Words, samples, some, text
from symgrad.sheet.reading import Reading


def chart(plot: Plot, reading: Reading) -> Chart:
    """The plot with its names in the problem's notation."""
    across, up = reading.words(plot.across), (reading.math(plot.of),)
    by = () if plot.by is None else (reading.math(plot.by),)
    over: Words = (" over ", *across, *((" and ", *by) if plot.contours else ()))
    each: Words = () if plot.contours or not by else (", a curve for each ", *by)
    dashed = ("; dashed: the bound",) if any(c.bound for c in plot.curves) else ()
    caption: Words = (*up, *over, *each, *dashed, ".")
    made = Chart(across, up, by, plot.curves, plot.contours, plot.logarithmic, caption, "")
    said = "; ".join(_said(made, c) for c in some(plot.curves))
    return replace(made, description=f"{text(caption)} {said}.")


def _said(made: Chart, curve: Curve) -> str:
    name = text(made.label(curve))
    points = ", ".join(f"{y:.3g} at {x:.3g}" for x, y in samples(curve))
    return f"{name}: {points}" if name else points
