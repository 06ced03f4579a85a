"""Convolutions and pooling as source for generated modules: single real arrays, NumPy alone."""

_WINDOWS = '''\
def _windows(x, kernel, stride, padding, dilation, fill=0.0):
    """x at s*r + d*k - p for every output place r and tap k; shape (..., *outputs, *kernel)."""
    axes = len(kernel)
    x = np.pad(x, [(0, 0)] * (x.ndim - axes) + [(p, p) for p in padding], constant_values=fill)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(x.ndim - axes, x.ndim)))
    return view[(..., *(slice(None, None, s) for s in (*stride, *dilation)))]
'''

_CONV = '''\
def _conv(stride, padding, dilation, groups, x, w, bias=0.0):
    """Correlation of x [c, ...] with filters w [out, in/groups, ...]; an array without channels is one channel."""
    axes = len(stride)
    plain = x.ndim == w.ndim == axes
    x = x if x.ndim > axes else x[None]
    w = w if w.ndim > axes else w[None, None]
    views = _windows(x, w.shape[2:], stride, padding, dilation)
    views = views.reshape(groups, -1, *views.shape[1:])
    filters = w.reshape(groups, -1, *w.shape[1:])
    places, taps = "uv"[:axes], "kl"[:axes]
    y = np.einsum(f"gc{places}{taps},goc{taps}->go{places}", views, filters)
    y = y.reshape(-1, *y.shape[2:]) + np.reshape(bias, (-1,) + (1,) * axes)
    return y[0] if plain else y
'''

_CONV_TRANSPOSE = '''\
def _conv_transpose(stride, padding, dilation, output_padding, groups, x, w, bias=0.0):
    """The adjoint of a convolution: x [c, ...] with filters w [in, out/groups, ...] added at the places it read."""
    axes = len(stride)
    plain = x.ndim == w.ndim == axes
    x = x if x.ndim > axes else x[None]
    w = w if w.ndim > axes else w[None, None]
    places, taps = "uv"[:axes], "kl"[:axes]
    views = x.reshape(groups, -1, *x.shape[1:])
    filters = w.reshape(groups, -1, *w.shape[1:])
    terms = np.einsum(f"gc{places},gco{taps}->go{places}{taps}", views, filters)
    terms = terms.reshape(-1, *terms.shape[2:])
    sizes = zip(x.shape[1:], w.shape[2:], stride, dilation, output_padding)
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, k, s, d, e in sizes]
    y = np.zeros((terms.shape[0], *full))
    for tap in np.ndindex(*w.shape[2:]):
        steps = zip(tap, x.shape[1:], stride, dilation)
        reached = tuple(slice(d * k, d * k + (n - 1) * s + 1, s) for k, n, s, d in steps)
        y[(slice(None), *reached)] += terms[(..., *tap)]
    y = y[(slice(None), *(slice(p, n - p) for n, p in zip(full, padding)))]
    y = y + np.reshape(bias, (-1,) + (1,) * axes)
    return y[0] if plain else y
'''

_MAX_UNPOOL = '''\
def _max_unpool(kernel, stride, padding, dilation, g, x):
    """The adjoint of max pooling: g at the first largest entry of each window of x, 0 elsewhere."""
    axes = len(kernel)
    views = _windows(x, kernel, stride, padding, dilation, -np.inf)
    first = views.reshape(*views.shape[:-axes], -1).argmax(axis=-1)
    y = np.pad(np.zeros(x.shape), [(0, 0)] * (x.ndim - axes) + [(p, p) for p in padding])
    for k, tap in enumerate(np.ndindex(*kernel)):
        steps = zip(tap, g.shape[-axes:], stride, dilation)
        reached = tuple(slice(d * i, d * i + (n - 1) * s + 1, s) for i, n, s, d in steps)
        y[(..., *reached)] += np.where(first == k, g, 0.0)
    return y[(..., *(slice(p, p + n) for n, p in zip(x.shape[-axes:], padding)))]
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
