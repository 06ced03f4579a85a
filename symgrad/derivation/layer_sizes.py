"""Why a layer's result has the sizes that it has: ⌊(H + 2P − K)/S⌋ + 1, with the numbers in it."""

from symgrad.tensor.functions.layers import AXES, setting
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Call


def why_sizes(node: Call) -> str:
    """The formula of each axis that a layer slides along, equal ones once: ⌊(21 − 4)/4⌋ + 1 = 5."""
    axes = AXES[node.fn]
    x = node.args[0]
    sizes = x.shape[x.order - axes :]
    kernel = setting(node, "kernel") if len(node.args) == 1 else node.args[1].shape[node.args[1].order - axes :]
    options = [setting(node, n) for n in ("stride", "padding", "dilation")]
    outs = node.shape[node.order - axes :]
    if "transpose" in node.fn:
        extra = setting(node, "output_padding")
        found = [_transposed(*z) for z in zip(sizes, kernel, *options, extra, outs, strict=True)]
    else:
        found = [_forward(*z) for z in zip(sizes, kernel, *options, outs, strict=True)]
    formulas = " and ".join(dict.fromkeys(found))
    outputs = _outputs(node, axes)
    return f"{outputs}, {formulas}" if outputs else formulas


def _outputs(node: Call, axes: int) -> str:
    if node.order == axes:
        return ""
    count = _written(node.shape[0])
    if len(node.args) == 1:
        return f"{count} channels as before"
    return f"{count} channels" if "transpose" in node.fn else f"{count} filters"


def _forward(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, out: Int) -> str:
    parts = [_written(size)]
    parts += [f"+ {_times(2, padding)}"] if padding != 0 else []
    parts += [f"− {_factor(dilation)}({_written(kernel)} − 1) − 1"] if dilation != 1 else [f"− {_factor(kernel)}"]
    room = " ".join(parts)
    formula = f"{room} + 1" if stride == 1 else f"⌊({room})/{_factor(stride)}⌋ + 1"
    return f"{formula} = {out}" if isinstance(out, int) else formula


def _transposed(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, extra: Int, out: Int) -> str:
    parts = [_factor(size) + " − 1" if stride == 1 else f"({_written(size)} − 1)·{_factor(stride)}"]
    parts += [f"− {_times(2, padding)}"] if padding != 0 else []
    parts += [f"+ {_factor(dilation)}({_written(kernel)} − 1) + 1"] if dilation != 1 else [f"+ {_factor(kernel)}"]
    parts += [f"+ {_factor(extra)}"] if extra != 0 else []
    formula = " ".join(parts)
    return f"{formula} = {out}" if isinstance(out, int) else formula


def _times(number: int, value: Int) -> str:
    return f"{number}·{value}" if isinstance(value, int) else f"{number}{_factor(value)}"


def _written(value: Int) -> str:
    return str(value).replace("*", "").replace(" - ", " − ")


def _factor(value: Int) -> str:
    text = _written(value)
    return text if text.replace("_", "").isalnum() else f"({text})"
