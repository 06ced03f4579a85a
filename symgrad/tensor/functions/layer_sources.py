"""Convolutions and pooling as source for generated modules: single real arrays, NumPy alone."""

_WINDOWS = '''\
def _windows(x, kernel, stride, padding, dilation, fill=0.0):
    """x at s*r + d*k - p for all places r and taps k; shape (..., *places, *taps)."""
    axes = tuple(range(x.ndim - len(kernel), x.ndim))
    ends = [(0, 0)] * axes[0] + [(p, p) for p in padding]
    x = np.pad(x, ends, constant_values=fill)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
    return view[(..., *(slice(None, None, s) for s in (*stride, *dilation)))]
'''

_CONV = '''\
def _conv(stride, padding, dilation, groups, x, w, bias=0.0):
    """Correlation of x [c, ...] with filters w [out, in/groups, ...].

    An array without channels is one channel.
    """
    axes = len(stride)
    plain = x.ndim == w.ndim == axes
    x = x if x.ndim > axes else x[None]
    w = w if w.ndim > axes else w[None, None]
    views = _windows(x, w.shape[2:], stride, padding, dilation)
    over = range(1, axes + 2), (0, *range(-axes, 0))
    each = zip(np.split(w, groups), np.split(views, groups), strict=True)
    y = np.concatenate([np.tensordot(filters, view, over) for filters, view in each])
    y = y + np.reshape(bias, (-1,) + (1,) * axes)
    return y[0] if plain else y
'''

_CONV_TRANSPOSE = '''\
def _conv_transpose(stride, padding, dilation, output_padding, groups, x, w, bias=0.0):
    """The adjoint of a convolution: x [c, ...] added at the places it read.

    The filters w are [in, out/groups, ...]; an array without channels is one channel.
    """
    axes = len(stride)
    plain = x.ndim == w.ndim == axes
    x = x if x.ndim > axes else x[None]
    w = w if w.ndim > axes else w[None, None]
    sizes = zip(x.shape[1:], w.shape[2:], stride, dilation, output_padding, strict=True)
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, k, s, d, e in sizes]
    each = zip(np.split(w, groups), np.split(x, groups), strict=True)
    terms = np.concatenate([np.tensordot(filters, v, (0, 0)) for filters, v in each])
    y = np.zeros((len(terms), *full))
    for tap in np.ndindex(*w.shape[2:]):
        steps = zip(tap, x.shape[1:], stride, dilation, strict=True)
        reached = [slice(d * k, d * k + (n - 1) * s + 1, s) for k, n, s, d in steps]
        y[(slice(None), *reached)] += terms[(slice(None), *tap)]
    inner = (slice(p, n - p) for n, p in zip(full, padding, strict=True))
    y = y[(slice(None), *inner)]
    y = y + np.reshape(bias, (-1,) + (1,) * axes)
    return y[0] if plain else y
'''

_MAX_UNPOOL = '''\
def _max_unpool(kernel, stride, padding, dilation, g, x):
    """The adjoint of max pooling: g at the first largest entry of each window of x, 0 elsewhere."""
    axes = len(kernel)
    views = _windows(x, kernel, stride, padding, dilation, -np.inf)
    first = views.reshape(*views.shape[:-axes], -1).argmax(axis=-1)
    ends = [(0, 0)] * (x.ndim - axes) + [(p, p) for p in padding]
    y = np.pad(np.zeros(x.shape), ends)
    for k, tap in enumerate(np.ndindex(*kernel)):
        steps = zip(tap, g.shape[-axes:], stride, dilation, strict=True)
        reached = [slice(d * i, d * i + (n - 1) * s + 1, s) for i, n, s, d in steps]
        y[(..., *reached)] += np.where(first == k, g, 0.0)
    inner = (slice(p, p + n) for n, p in zip(x.shape[-axes:], padding, strict=True))
    return y[(..., *inner)]
'''

WINDOWS = (_WINDOWS,)
CONV = (_WINDOWS, _CONV)
CONV_TRANSPOSE = (_CONV_TRANSPOSE,)
MAX_UNPOOL = (_WINDOWS, _MAX_UNPOOL)


def _each(name: str, axes: int) -> str:
    return "(" + "".join(f"{{{name}{a}}}, " for a in range(axes)).rstrip(", ") + (",)" if axes == 1 else ")")


def convolution(axes: int) -> str:
    """The call of a convolution."""
    settings = ", ".join(_each(n, axes) for n in ("stride", "padding", "dilation"))
    return f"_conv({settings}, {{groups}}, {{operands}})"


def transposed(axes: int) -> str:
    """The call of a transposed convolution."""
    settings = ", ".join(_each(n, axes) for n in ("stride", "padding", "dilation", "output_padding"))
    return f"_conv_transpose({settings}, {{groups}}, {{operands}})"


def pooling(axes: int, reduction: str) -> str:
    """The reduction of each window."""
    settings = ", ".join(_each(n, axes) for n in ("kernel", "stride", "padding", "dilation"))
    over = "-1" if axes == 1 else "(-2, -1)"
    fill = ", -np.inf" if reduction == "max" else ""
    return f"np.{reduction}(_windows({{operands}}, {settings}{fill}), axis={over})"


def unpooling(axes: int) -> str:
    """The call of the adjoint of max pooling."""
    settings = ", ".join(_each(n, axes) for n in ("kernel", "stride", "padding", "dilation"))
    return f"_max_unpool({settings}, {{operands}})"
