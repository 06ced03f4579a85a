"""Gradients of usual models as one writes them in NumPy by hand, with products after the loops.

Called as a program with a model's name and a directory that holds generated.py and arguments.npz, it prints how much
longer the generated function takes.
"""

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Arrays = dict[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(x, W, U, b, h0, c0, v) -> Arrays:  # type: ignore[no-untyped-def]
    """Gradients of Σ vₜᵀ hₜ, gates stacked as i, f, o, g."""
    T, n = len(x), len(h0)
    drive = x @ W.T + b
    h, c = np.empty((T + 1, n)), np.empty((T + 1, n))
    h[0], c[0] = h0, c0
    gates, tanh_c = np.empty((T, 4 * n)), np.empty((T, n))
    for t in range(T):
        a, s = drive[t] + U @ h[t], gates[t]
        s[: 3 * n] = sigmoid(a[: 3 * n])
        s[3 * n :] = np.tanh(a[3 * n :])
        c[t + 1] = s[n : 2 * n] * c[t] + s[:n] * s[3 * n :]
        tanh_c[t] = np.tanh(c[t + 1])
        h[t + 1] = s[2 * n : 3 * n] * tanh_c[t]
    i, f, o, g = (gates[:, k * n : (k + 1) * n] for k in range(4))
    to_i, to_f, to_o = g * i * (1 - i), c[:-1] * f * (1 - f), tanh_c * o * (1 - o)
    to_g, to_c = i * (1 - g**2), o * (1 - tanh_c**2)
    da, dh, dc = np.empty((T, 4 * n)), np.zeros(n), np.zeros(n)
    for t in reversed(range(T)):
        dh = v[t] + dh
        dc = dc + dh * to_c[t]
        da[t, :n] = dc * to_i[t]
        da[t, n : 2 * n] = dc * to_f[t]
        da[t, 2 * n : 3 * n] = dh * to_o[t]
        da[t, 3 * n :] = dc * to_g[t]
        dh, dc = U.T @ da[t], dc * f[t]
    return {"W": da.T @ x, "U": da.T @ h[:-1], "b": da.sum(axis=0)}


def gru(x, Wz, Wr, Wh, Uz, Ur, Uh, h0, v) -> Arrays:  # type: ignore[no-untyped-def]
    """Gradients of Σ vₜᵀ hₜ, where hₜ = (1 − z) ⊙ hₜ₋₁ + z ⊙ g."""
    T, n = len(x), len(h0)
    xz, xr, xh = (x @ W.T for W in (Wz, Wr, Wh))
    h = np.empty((T + 1, n))
    h[0] = h0
    z, r, g, kept = (np.empty((T, n)) for _ in range(4))
    for t in range(T):
        z[t] = sigmoid(xz[t] + Uz @ h[t])
        r[t] = sigmoid(xr[t] + Ur @ h[t])
        kept[t] = r[t] * h[t]
        g[t] = np.tanh(xh[t] + Uh @ kept[t])
        h[t + 1] = (1 - z[t]) * h[t] + z[t] * g[t]
    to_z, to_r, to_g, stay = (g - h[:-1]) * z * (1 - z), h[:-1] * r * (1 - r), z * (1 - g**2), 1 - z
    az, ar, ag = (np.empty((T, n)) for _ in range(3))
    dh = np.zeros(n)
    for t in reversed(range(T)):
        dh = v[t] + dh
        az[t], ag[t] = dh * to_z[t], dh * to_g[t]
        back = Uh.T @ ag[t]
        ar[t] = back * to_r[t]
        dh = dh * stay[t] + r[t] * back + Uz.T @ az[t] + Ur.T @ ar[t]
    past = h[:-1]
    return {"Wz": az.T @ x, "Wr": ar.T @ x, "Wh": ag.T @ x, "Uz": az.T @ past, "Ur": ar.T @ past, "Uh": ag.T @ kept}


def transformer(X, Wq, Wk, Wv, Wo, W1, W2, V) -> Arrays:  # type: ignore[no-untyped-def]
    """Gradients of Σ V ⊙ G for self-attention with heads and a layer of relu, both with their input added."""
    n, (H, _, k) = len(X), Wq.shape
    Q, K, U = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(k)
    P = np.exp(S - S.max(axis=2, keepdims=True))
    P /= P.sum(axis=2, keepdims=True)
    C = (P @ U).transpose(1, 0, 2).reshape(n, H * k)
    R = X + C @ Wo
    A = R @ W1
    dA = (V @ W2.T) * (A > 0)
    dR = V + dA @ W1.T
    dC = (dR @ Wo.T).reshape(n, H, k).transpose(1, 0, 2)
    dP = dC @ U.transpose(0, 2, 1)
    dS = P * (dP - (P * dP).sum(axis=2, keepdims=True)) / np.sqrt(k)
    dQ, dK, dU = dS @ K, dS.transpose(0, 2, 1) @ Q, P.transpose(0, 2, 1) @ dC
    through = dQ @ Wq.transpose(0, 2, 1) + dK @ Wk.transpose(0, 2, 1) + dU @ Wv.transpose(0, 2, 1)
    return {"X": dR + through.sum(axis=0), "Wo": C.T @ dR, "W1": R.T @ dA, "W2": np.maximum(A, 0).T @ V}


def convolution(X, K, b, V) -> Arrays:  # type: ignore[no-untyped-def]
    """Gradients of Σ V ⊙ relu(a 3 × 3 convolution of X, padded by 1)."""
    windows = sliding_window_view(np.pad(X, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
    Y = np.tensordot(K, windows, ((1, 2, 3), (0, 3, 4))) + b[:, None, None]
    dY = V * (Y > 0)
    back = sliding_window_view(np.pad(dY, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
    dX = np.tensordot(K[:, :, ::-1, ::-1], back, ((0, 2, 3), (0, 3, 4)))
    return {"X": dX, "K": np.tensordot(dY, windows, ((1, 2), (1, 2))), "b": dY.sum(axis=(1, 2))}


def fastest(f: Callable[..., Arrays], arguments: Arrays) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(40):
        start = time.perf_counter()
        f(**arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def main(name: str, directory: Path) -> None:
    """The smallest of several ratios."""
    generated, hand = runpy.run_path(str(directory / "generated.py"))["q"], globals()[name]
    arguments = dict(np.load(directory / "arguments.npz"))
    want, got = hand(**arguments), generated(**arguments)
    for key, value in want.items():
        np.testing.assert_allclose(got[key], value, rtol=1e-8, atol=1e-10)
    print(min(fastest(generated, arguments) / fastest(hand, arguments) for _ in range(4)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
