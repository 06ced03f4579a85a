"""Why a layer's result has the sizes that it has: ⌊(H + 2P − K)/S⌋ + 1, with the numbers in it."""

from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import AXES, setting
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Add, Apply, Call, Expr, Mul, Pow


def why_sizes(node: Call) -> Reason:
    """The formula of each axis that a layer slides along, equal ones once: ⌊(21 − 4)/4⌋ + 1 = 5."""
    axes = AXES[node.fn]
    x = node.args[0]
    sizes = x.shape[x.order - axes :]
    kernel = setting(node, "kernel") if len(node.args) == 1 else node.args[1].shape[node.args[1].order - axes :]
    options = [setting(node, n) for n in ("stride", "padding", "dilation")]
    outs = node.shape[node.order - axes :]
    if "transpose" in node.fn:
        extra = setting(node, "output_padding")
        found = [(_transposed(*z), out) for *z, out in zip(sizes, kernel, *options, extra, outs, strict=True)]
    else:
        found = [(_forward(*z), out) for *z, out in zip(sizes, kernel, *options, outs, strict=True)]
    words: list[str | Expr] = list(_outputs(node, axes))
    for k, (formula, out) in enumerate(dict.fromkeys(found)):
        words += [" and "] if k else []
        words += [formula, " = ", b.count(out)] if isinstance(out, int) else [formula]
    return tuple(words)


def _outputs(node: Call, axes: int) -> Reason:
    if node.order == axes:
        return ()
    count = b.count(node.shape[0])
    if len(node.args) == 1:
        return (count, " channels as before; ")
    return (count, " channels; ") if "transpose" in node.fn else (count, " filters; ")


def _number(value: Int) -> Expr:
    return b.count(value)


def _sum(*terms: Expr) -> Expr:
    return Add(terms, ()) if len(terms) > 1 else terms[0]


def _minus(x: Expr) -> Expr:
    value = b.number_of(x)
    return b.num(-value) if value is not None else Mul((b.MINUS_ONE, *(x.args if isinstance(x, Mul) else (x,))), ())


def _times(x: Expr, y: Expr) -> Expr:
    return y if b.is_one(x) else x if b.is_one(y) else Mul((x, y), ())


def _reach(kernel: Int, dilation: Int) -> list[Expr]:
    """D(K − 1) + 1, K where D is 1."""
    if dilation == 1:
        return [_number(kernel)]
    return [_times(_number(dilation), _sum(_number(kernel), b.MINUS_ONE)), b.ONE]


def _around(padding: Int) -> list[Expr]:
    return [] if padding == 0 else [_times(b.num(2), _number(padding))]


def _forward(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int) -> Expr:
    room = _sum(_number(size), *_around(padding), *map(_minus, _reach(kernel, dilation)))
    if stride == 1:
        return _sum(*(room.args if isinstance(room, Add) else (room,)), b.ONE)
    share = Mul((room, Pow(_number(stride), b.MINUS_ONE, ())), ())
    return _sum(Apply("floor", (share,), ()), b.ONE)


def _transposed(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, extra: Int) -> Expr:
    steps = [_number(size), b.MINUS_ONE]
    if stride != 1:
        steps = [Mul((_number(stride), _sum(*steps)), ())]
    cut = [_minus(t) for t in _around(padding)]
    return _sum(*steps, *cut, *_reach(kernel, dilation), *([] if extra == 0 else [_number(extra)]))
