"""Small problems of every kind: certified, written as a person would, and computed by code that differences confirm."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

import symgrad
from symgrad import pipeline
from symgrad.calculus.numeric import Numbers
from symgrad.codegen.program import Leaf
from symgrad.derivation.steps import Derivation, Introduced, lines
from symgrad.derivation.workspace import choose_sizes
from symgrad.notation.latex import latex
from symgrad.notation.read import read
from symgrad.notation.source import source
from symgrad.notation.style import Style
from symgrad.problem.model import Problem
from symgrad.sheet.programs import numpy_module, program
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.walk import variables

PROBLEMS: dict[str, str] = {
    "decoder": """
symbols: {"h[t]": {shape: n}, "w[s]": {shape: q}, "g[0]": {shape: n}, A: {shape: [n, n]}, B: {shape: [n, q]}, C: {shape: [n, n]}}
steps: {t: 1..T, s: 1..S}
model:
  - e[s, t] = g[s-1].T @ A @ h[t]
  - a[s] = softmax(stack(e[s, t], t=1..T))
  - c[s] = sum(a[s][t] * h[t], t=1..T)
  - g[s] = tanh(B @ w[s] + C @ g[s-1] + c[s])
questions:
  - {id: step, ask: derivative, of: "g[s]", wrt: "g[s-1]"}
  - {id: context, ask: derivative, of: "c[s]", wrt: "a[s]"}
""",
    "forward recursion": """
symbols: {"psi[t]": {shape: k}, A: {shape: [k, k]}, "alpha[0]": {shape: k}}
steps: {t: 1..T}
model: ["alpha[t][j] = logsumexp(alpha[t-1] + A[:, j]) + psi[t][j]", "Z = logsumexp(alpha[T])"]
questions:
  - {id: step, ask: derivative, of: "alpha[t]", wrt: "alpha[t-1]"}
  - {id: marginals, ask: derivative, of: Z, wrt: ["psi[t]", A], form: backprop}
""",
    "both ways": """
symbols:
  x[t]: {shape: d}
  y[t]: {shape: k, is: one-hot}
  f[0]: {shape: n}
  b[T+1]: {shape: n}
  A: {shape: [n, n]}
  B: {shape: [n, n]}
  U: {shape: [n, d]}
  V: {shape: [k, n]}
steps: {t: 1..T}
model:
  - f[t] = tanh(A @ f[t-1] + U @ x[t])
  - b[t] = tanh(B @ b[t+1] + U @ x[t])
  - E[t] = cross_entropy(y[t], softmax(V @ (f[t] + b[t])))
  - L = sum(E[t], t=1..T)
questions:
  - {id: one, ask: derivative, of: "E[t]", wrt: [A, B], form: sum-of-products}
  - {id: all, ask: derivative, of: L, wrt: [A, B], form: sum-of-products}
  - {id: states, ask: derivative, of: "b[t]", wrt: "b[s]", where: "1 <= t < s <= T"}
  - {id: first, ask: derivative, of: "f[t]", wrt: "f[s]", where: "1 <= s < t"}
""",
    "normalised": """
symbols: {"x[i]": {}, gamma: {}, beta: {}, eps: {is: positive}}
steps: {i: 1..m}
model:
  - mu = sum(x[i], i=1..m) / m
  - v = sum((x[i] - mu)**2, i=1..m) / m
  - xhat[i] = (x[i] - mu) / sqrt(v + eps)
  - y[i] = gamma * xhat[i] + beta
  - l = loss(y[i], i=1..m)
questions:
  - {id: given, ask: derivative, of: l, wrt: "x[i]"}
  - {id: scale, ask: derivative, of: l, wrt: [gamma, beta]}
  - {id: moments, ask: derivative, of: l, wrt: [v, mu]}
""",
    "images": """
symbols:
  x: {shape: n}
  X: {shape: [m, n]}
  A: {shape: [n, n]}
  B: {shape: [n, n]}
  C: {shape: [m, m]}
model: [y = A @ x, z = B @ x, f = y.T @ z, u = x * (x.T @ y), P = C @ X, r = trace(X.T @ P), g = sum(y) + sum(z ** 2)]
questions:
  - {id: twice, ask: derivative, of: f, wrt: x, form: factored}
  - {id: outer, ask: derivative, of: u, wrt: x}
  - {id: matrix, ask: derivative, of: r, wrt: X, form: factored}
  - {id: apart, ask: derivative, of: g, wrt: x}
""",
    "mlp": """
symbols: {x: {shape: d}, y: {shape: k, is: one-hot}, "W[l]": {shape: [n, n]}, W0: {shape: [n, d]},
  V: {shape: [k, n]}, "b[l]": {shape: n}, "h[0]": {shape: n}}
steps: {l: 1..3}
model: ["h[l] = relu(W[l] @ h[l-1] + b[l])", "z = V @ h[3]", "p = softmax(z)", "L = cross_entropy(y, p)"]
questions:
- {id: a, ask: derivative, of: L, wrt: ["W[1]", "b[2]", "W[3]", V]}
- {id: b, ask: derivative, of: L, wrt: ["W[l]", "b[l]", V], form: backprop}
- {id: c, ask: derivative, of: L, wrt: ["W[2]"], form: factored}
- {id: d, ask: derivative, of: "h[3]", wrt: "h[1]"}
""",
    "mlpL": """
symbols: {y: {shape: n}, "W[l]": {shape: [n, n]}, "b[l]": {shape: n}, "h[0]": {shape: n}}
steps: {l: 1..N}
model: ["h[l] = tanh(W[l] @ h[l-1] + b[l])", "L = norm(h[N] - y)**2 / 2"]
questions:
- {id: b, ask: derivative, of: L, wrt: ["W[l]", "b[l]", "h[0]"], form: backprop}
- {id: c, ask: derivative, of: L, wrt: ["W[l]"], form: sum-of-products}
- {id: d, ask: derivative, of: "h[N]", wrt: "h[0]", form: sum-of-products}
""",
    "attention": """
symbols: {X: {shape: [n, d]}, Wq: {shape: [d, k]}, Wk: {shape: [d, k]}, Wv: {shape: [d, m]}, Y: {shape: [n, m]}}
model: ["Q = X @ Wq", "K = X @ Wk", "V = X @ Wv", "S = Q @ K.T / sqrt(k)", "A = softmax(S, axis=1)", "O = A @ V",
  "L = sum((O - Y)**2)/2"]
questions:
- {id: a, ask: derivative, of: L, wrt: [Wq, Wk, Wv, X]}
- {id: b, ask: derivative, of: L, wrt: [Wq, Wk, Wv, X], form: backprop}
- {id: c, ask: derivative, of: "A[i,j]", wrt: "S[l,m1]", form: components}
""",
    "layernorm": """
symbols: {x: {shape: n}, g: {shape: n}, b: {shape: n}, w: {shape: n}}
model: ["mu = mean(x)", "v = mean((x - mu)**2)", "xh = (x - mu)/sqrt(v + 1)", "y = g * xh + b", "L = w.T @ y"]
questions:
- {id: a, ask: derivative, of: L, wrt: [x, g, b]}
- {id: b, ask: derivative, of: L, wrt: [x, g, b], form: backprop}
- {id: c, ask: derivative, of: xh, wrt: x}
- {id: d, ask: derivative, of: y, wrt: g}
""",
    "attending": """
symbols: {s: {shape: n}, H: {shape: [T, m]}, W: {shape: [n, m]}, U: {shape: [K, m]}, y: {shape: K, is: one-hot}}
model: ["e = H @ W.T @ s", "a = softmax(e)", "c = H.T @ a", "p = softmax(U @ c)", "L = cross_entropy(y, p)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [s, H, e]}
""",
    "rmsnorm": """
symbols: {x: {shape: n}, w: {shape: n}}
model: ["y = x / norm(x)", "L = w.T @ y", "m = norm(x)**2", "q = norm(x, ord=1)"]
questions:
- {id: a, ask: derivative, of: y, wrt: x}
- {id: b, ask: derivative, of: L, wrt: x, form: backprop}
- {id: c, ask: derivative, of: m, wrt: x}
- {id: d, ask: derivative, of: q, wrt: x}
- {id: e, ask: derivative, of: L, wrt: x, order: 2}
""",
    "birnn": """
symbols: {"x[t]": {shape: d}, "y[t]": {shape: k}, "hf[0]": 0, "hb[T+1]": 0, Wf: {shape: [n, n]},
  Wb: {shape: [n, n]}, Uf: {shape: [n, d]}, Ub: {shape: [n, d]}, V: {shape: [k, n]}, Z: {shape: [k, n]}}
steps: {t: 1..T}
model: ["hf[t] = tanh(Wf @ hf[t-1] + Uf @ x[t])", "hb[t] = tanh(Wb @ hb[t+1] + Ub @ x[t])",
  "o[t] = V @ hf[t] + Z @ hb[t]", "L = sum(norm(o[t] - y[t])**2, t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [Wf, Wb, Uf, Ub, V, Z, "x[t]"], form: backprop}
""",
    "gru": """
symbols: {"x[t]": {shape: d}, "h[0]": {shape: n}, Wz: {shape: [n, d]}, Uz: {shape: [n, n]}, Wr: {shape: [n, d]},
  Ur: {shape: [n, n]}, Wc: {shape: [n, d]}, Uc: {shape: [n, n]}}
steps: {t: 1..T}
model: ["z[t] = sigmoid(Wz @ x[t] + Uz @ h[t-1])", "r[t] = sigmoid(Wr @ x[t] + Ur @ h[t-1])",
  "g[t] = tanh(Wc @ x[t] + Uc @ (r[t] * h[t-1]))", "h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]", "L = loss(h[t],
  t=1..T)"]
questions:
- {id: a, ask: derivative, of: "h[t]", wrt: "h[t-1]"}
- {id: a2, ask: derivative, of: "h[t]", wrt: "h[t-1]", form: factored}
- {id: b, ask: derivative, of: L, wrt: [Wz, Uz, Wr, Ur, Wc, Uc], form: backprop}
- {id: s, ask: derivative, of: L, wrt: Uc, form: sum-of-products}
- {id: hold, ask: derivative, of: "h[t]", wrt: "h[t-1]", hold: ["z[t]", "r[t]"]}
- {id: leave, ask: derivative, of: "h[t]", wrt: "h[t-1]", leave: ["z[t]", "r[t]", "g[t]"]}
""",
    "second": """
symbols: {"x[t]": {shape: n}, "h[0]": {shape: n}, "h[-1]": {shape: n}, A: {shape: [n, n]}, B: {shape: [n, n]},
  y: {shape: n}}
steps: {t: 1..T}
model: ["h[t] = tanh(A @ h[t-1] + B @ h[t-2] + x[t])", "L = sum(y.T @ h[t], t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [A, B, "h[0]", "h[-1]", "x[t]"], form: backprop}
- {id: b, ask: derivative, of: "h[t]", wrt: "h[t-2]"}
- {id: c, ask: derivative, of: "h[t]", wrt: "h[t-1]"}
- {id: d, ask: derivative, of: "h[2]", wrt: A}
""",
    "hess": """
symbols: {x: {shape: n}, S: {shape: [n, n]}, P: {shape: [n, n], is: symmetric}, b: {shape: n}, w: {shape: n},
  y: {}, X: {shape: [m, n]}}
model: ["f = x.T @ S @ x / 2 + b.T @ x", "q = x.T @ P @ x / 2", "p = sigmoid(w.T @ x)",
  "l = -y * log(p) - (1 - y)*log(1 - p)", "lse = logsumexp(x)", "fro = sum(X**2)", "det2 = log(det(P))",
  "r = sum(exp(x))"]
questions:
- {id: a, ask: derivative, of: f, wrt: x, order: 2}
- {id: b, ask: derivative, of: q, wrt: x, order: 2}
- {id: c, ask: derivative, of: l, wrt: w, order: 2}
- {id: d, ask: derivative, of: lse, wrt: x, order: 2}
- {id: e, ask: derivative, of: fro, wrt: X, order: 2}
- {id: g, ask: derivative, of: r, wrt: x, order: 2}
- {id: h, ask: derivative, of: l, wrt: w}
""",
    "vm": """
symbols: {x: {shape: n}, W: {shape: [m, n]}, b: {shape: m}, A: {shape: [k, m]}}
model: ["y = tanh(W @ x + b)", "z = A @ W @ x", "M = A @ W"]
questions:
- {id: a, ask: derivative, of: y, wrt: W}
- {id: b, ask: derivative, of: z, wrt: W}
- {id: c, ask: derivative, of: M, wrt: W}
- {id: d, ask: derivative, of: "y[i]", wrt: "W[j,k1]", form: components}
- {id: e, ask: derivative, of: y, wrt: [x, b]}
- {id: f, ask: derivative, of: z, wrt: [x, A]}
""",
    "user": """
symbols: {x: {shape: n}, W: {shape: [n, n]}, a: {}}
model: ["f(u) = u * sigmoid(a * u)", "g(v) = log(sum(exp(v)))", "y = f(W @ x)", "L = g(y)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [x, W, a]}
- {id: b, ask: derivative, of: y, wrt: x}
- {id: c, ask: derivative, of: L, wrt: [x, W, a], form: backprop}
""",
    "asm": """
symbols: {x: {shape: n}, y: {shape: n}, W: {shape: [m, 2*n]}, w: {shape: m}, V: {shape: [2, n]}}
model: ["c = concat(x, y)", "z = W @ c", "s = stack(x, y)", "q = sum(s * V)", "r = x[1..2].T @ y[1..2]",
  "L = w.T @ tanh(z)", "e = c[1..n]"]
questions:
- {id: a, ask: derivative, of: L, wrt: [x, y, W]}
- {id: b, ask: derivative, of: L, wrt: [x, y, W], form: backprop}
- {id: c, ask: derivative, of: q, wrt: x}
- {id: d, ask: derivative, of: r, wrt: x}
- {id: e, ask: derivative, of: z, wrt: x}
- {id: f, ask: derivative, of: e, wrt: x}
- {id: g, ask: derivative, of: s, wrt: x}
""",
    "kinks": """
symbols: {x: {shape: n}, s: {shape: k}, c: {is: index}, W: {shape: [n, n]}, y: {}}
model: ["L1 = sum(max(0, x))", "L2 = max(x)", "L3 = sum(abs(x))", "L4 = sum(where(x > 0, x**2, 3*x))",
  "L5 = max(0, 1 - y * sum(x))", "H = sum(max(0, s[j] - s[2] + 1), j=1..k, j != 2)", "L6 = sum(relu(W @ x))",
  "L7 = sum(min(x, 1)**2)", "L8 = sum(indicator(x > 0) * x)"]
questions:
- {id: a, ask: derivative, of: L1, wrt: x}
- {id: b, ask: derivative, of: L2, wrt: x}
- {id: c, ask: derivative, of: L3, wrt: x}
- {id: d, ask: derivative, of: L4, wrt: x}
- {id: e, ask: derivative, of: L5, wrt: x}
- {id: f, ask: derivative, of: H, wrt: s}
- {id: g, ask: derivative, of: L6, wrt: [x, W]}
- {id: h, ask: derivative, of: L7, wrt: x}
- {id: i, ask: derivative, of: L8, wrt: x}
- {id: j, ask: derivative, of: H, wrt: "s[i]", form: components}
""",
    "ce": """
symbols: {x: {shape: n}, y: {shape: n}, q: {shape: n, is: probability}, Z: {shape: [m, n]}, Y: {shape: [m, n],
  is: one-hot}}
model: ["p = softmax(x)", "E1 = cross_entropy(q, p)", "E2 = cross_entropy(y, p)", "E3 = -sum(q * log(p))",
  "P = softmax(Z, axis=1)", "E4 = cross_entropy(Y, P)/m", "E5 = sum(q * log(q / p))", "E6 = logsumexp(x) - q.T @ x"]
questions:
- {id: a, ask: derivative, of: E1, wrt: x}
- {id: b, ask: derivative, of: E2, wrt: x}
- {id: c, ask: derivative, of: E3, wrt: x}
- {id: d, ask: derivative, of: E4, wrt: Z}
- {id: e, ask: derivative, of: E5, wrt: x}
- {id: f, ask: derivative, of: E6, wrt: x}
- {id: g, ask: derivative, of: E4, wrt: Z, form: backprop}
- {id: h, ask: derivative, of: E1, wrt: x, form: backprop}
""",
    "mats": """
symbols: {A: {shape: [n, n], is: invertible}, B: {shape: [n, n]}, X: {shape: [m, n]}, x: {shape: n},
  S: {shape: [n, n], is: positive-definite}}
model: ["t1 = trace(A @ B)", "t2 = trace(X.T @ X)", "t3 = log(det(A))", "t4 = x.T @ inv(A) @ x", "t5 = norm(X)",
  "t6 = trace(inv(A))", "t7 = det(A)", "t8 = trace(A @ B @ A.T)", "t9 = x.T @ inv(S) @ x + log(det(S))"]
questions:
- {id: a, ask: derivative, of: t1, wrt: [A, B]}
- {id: b, ask: derivative, of: t2, wrt: X}
- {id: c, ask: derivative, of: t3, wrt: A}
- {id: d, ask: derivative, of: t4, wrt: [A, x]}
- {id: e, ask: derivative, of: t5, wrt: X}
- {id: f, ask: derivative, of: t6, wrt: A}
- {id: g, ask: derivative, of: t7, wrt: A}
- {id: h, ask: derivative, of: t8, wrt: [A, B]}
- {id: i, ask: derivative, of: t9, wrt: [S, x]}
""",
    "written with indices": """
symbols: {x: {shape: d}, W: {shape: [n, d]}, V: {shape: [K, n]}, b: {shape: n}, y: {shape: K, is: one-hot},
  X: {shape: [N, d]}, Q: {shape: [N, n]}}
model:
  - a[j] = sum(W[j, i] * x[i], i=1..d) + b[j]
  - h[j] = sigmoid(a[j])
  - z[k] = sum(V[k, j] * h[j], j=1..n)
  - p[k] = exp(z[k]) / sum(exp(z[l]), l=1..K)
  - E = -sum(y[k] * log(p[k]), k=1..K)
  - F = sum((X[u, i] - sum(Q[u, f] * W[f, i], f=1..n))**2, u=1..N, i=1..d)
  - G = sum((X[i, k] - X[j, k])**2, i=1..N, j=1..N, k=1..d)
questions:
- {id: a, ask: derivative, of: p, wrt: z}
- {id: b, ask: derivative, of: E, wrt: [V, W, b]}
- {id: c, ask: derivative, of: E, wrt: [V, W, x], form: backprop}
- {id: d, ask: derivative, of: E, wrt: "W[r, s]", form: components}
- {id: e, ask: derivative, of: F, wrt: [Q, W]}
- {id: f, ask: derivative, of: G, wrt: X}
""",
    "unnamed outputs": """
symbols: {"x[t]": {shape: d}, "y[t]": {shape: m, is: one-hot}, "h[0]": 0, W: {shape: [n, n]}, U: {shape: [n, d]}, V: {shape: [m, n]}}
steps: {t: 1..3}
model: ["h[t] = tanh(W @ h[t-1] + U @ x[t])", "E[t] = cross_entropy(y[t], softmax(V @ h[t]))", "L = sum(E[t], t=1..3)"]
questions:
- {id: a, ask: derivative, of: "E[2]", wrt: [W, U]}
- {id: b, ask: derivative, of: "E[2]", wrt: W, form: expanded}
- {id: c, ask: derivative, of: L, wrt: [W, V], form: factored}
- {id: d, ask: derivative, of: L, wrt: [V, W], form: sum-of-products}
- {id: e, ask: derivative, of: L, wrt: [W, V], form: backprop}
- {id: f, ask: derivative, of: "E[1]", wrt: W}
""",
    "three axes": """
symbols: {"x[t]": {shape: d}, "h[0]": {shape: n}, W: {shape: [n, n, d]}, v: {shape: n}}
steps: {t: 1..T}
model: ["a[t][i] = sum(W[i, j, k] * h[t-1][j] * x[t][k], j=1..n, k=1..d)", "h[t] = tanh(a[t])", "L = v.T @ h[T]"]
questions:
- {id: a, ask: derivative, of: "h[t]", wrt: "h[t-1]"}
- {id: b, ask: derivative, of: L, wrt: [W, "h[0]"], form: backprop}
""",
    "groups": """
symbols: {"x[g, i]": {}, s: {}, c: {is: positive}}
steps: {g: 1..G, i: 1..m}
model: ["mu[g] = sum(x[g, i], i=1..m) / m", "v[g] = sum((x[g, i] - mu[g])**2, i=1..m) / m",
  "y[g, i] = s * (x[g, i] - mu[g]) / sqrt(v[g] + c)", "L = loss(y[g, i], g=1..G, i=1..m)"]
questions:
- {id: a, ask: derivative, of: L, wrt: ["x[g, i]", s]}
- {id: b, ask: derivative, of: L, wrt: ["x[g, i]", s], form: backprop}
""",
    "one among all": """
symbols: {q: {shape: d}, "k[i]": {shape: d}, tau: {is: positive}}
steps: {i: 0..N}
model: ["s[i] = q.T @ k[i] / tau", "L = -s[0] + log(sum(exp(s[i]), i=0..N))"]
questions:
- {id: a, ask: derivative, of: L, wrt: [q, "k[0]", "k[i]", tau]}
- {id: b, ask: derivative, of: L, wrt: [q, "k[i]"], form: backprop}
""",
    "experts": """
symbols: {x: {shape: d}, G: {shape: [E, d]}, "W[e]": {shape: [m, d]}, y: {shape: m}, z: {shape: K}, t0: {shape: K, is: one-hot},
  r: {is: probability}, "u[t]": {shape: n}, "c[t]": {}, w: {shape: n}}
steps: {e: 1..E, t: 1..T}
model: ["g = softmax(G @ x)", "f[e] = tanh(W[e] @ x)", "o = sum(g[e] * f[e], e=1..E)", "L = norm(o - y)**2 / 2",
  "t1 = (1 - r) * t0 + r / K", "C = cross_entropy(t1, softmax(z))", "M = sum(log(1 + exp(-c[t] * (w.T @ u[t]))), t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [G, "W[e]"]}
- {id: b, ask: derivative, of: C, wrt: z}
- {id: c, ask: derivative, of: M, wrt: w}
""",
    "T1": """
symbols: {"x[t]": {shape: d}, "h[0]": 0, U: {shape: [n, d]}, W: {shape: [n, n]}, v: {shape: n}}
steps: {t: 1..1}
model: ["h[t] = tanh(U @ x[t] + W @ h[t-1])", "E[t] = v.T @ h[t]", "L = sum(E[t], t=1..1)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [U, W, v], form: backprop}
- {id: b, ask: derivative, of: L, wrt: [U, W, v]}
- {id: c, ask: derivative, of: "E[1]", wrt: [U, W]}
- {id: d, ask: derivative, of: "E[t]", wrt: W, form: sum-of-products}
""",
    "T3": """
symbols: {"x[t]": {shape: d}, "h[0]": 0, U: {shape: [n, d]}, W: {shape: [n, n]}, v: {shape: n}}
steps: {t: 1..3}
model: ["h[t] = tanh(U @ x[t] + W @ h[t-1])", "E[t] = v.T @ h[t]", "L = sum(E[t], t=1..3)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [U, W, v], form: backprop}
- {id: b, ask: derivative, of: L, wrt: [U, W, v]}
- {id: c, ask: derivative, of: "E[1]", wrt: [U, W]}
- {id: d, ask: derivative, of: "E[t]", wrt: W, form: sum-of-products}
""",
    "T1000": """
symbols: {"x[t]": {shape: d}, "h[0]": 0, U: {shape: [n, d]}, W: {shape: [n, n]}, v: {shape: n}}
steps: {t: 1..1000}
model: ["h[t] = tanh(U @ x[t] + W @ h[t-1])", "E[t] = v.T @ h[t]", "L = sum(E[t], t=1..1000)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [U, W, v], form: backprop}
- {id: c, ask: derivative, of: "E[2]", wrt: [U, W]}
- {id: d, ask: derivative, of: "E[t]", wrt: W, form: sum-of-products}
""",
    "scalar": """
symbols: {x: {}, w: {}, b: {}, y: {}, a: {is: positive}, theta: {}}
model: ["z = w * x + b", "p = sigmoid(z)", "L = -(y * log(p) + (1 - y) * log(1 - p))",
  "F = a * (1 - p)**theta * log(p)", "q = (p - y)**2 / 2", "m = exp(-z**2/2)", "s = sin(z)*cos(z)",
  "u = tanh(z) / (1 + z**2)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [w, b]}
- {id: a1, ask: derivative, of: L, wrt: [w, b], form: expanded}
- {id: a2, ask: derivative, of: L, wrt: [w, b], form: factored}
- {id: b, ask: derivative, of: F, wrt: z}
- {id: b1, ask: derivative, of: F, wrt: p}
- {id: c, ask: derivative, of: q, wrt: [w, b], form: backprop}
- {id: d, ask: derivative, of: m, wrt: x}
- {id: e, ask: derivative, of: s, wrt: z}
- {id: f, ask: derivative, of: u, wrt: z}
- {id: g, ask: derivative, of: L, wrt: z, order: 2}
""",
    "scalrec": """
symbols: {"x[t]": {}, "h[0]": {}, w: {}, u: {}}
steps: {t: 1..T}
model: ["h[t] = tanh(w * h[t-1] + u * x[t])", "L = sum(h[t]**2, t=1..T)/2"]
questions:
- {id: a, ask: derivative, of: L, wrt: [w, u, "h[0]"], form: backprop}
- {id: b, ask: derivative, of: "h[t]", wrt: w, form: sum-of-products}
- {id: c, ask: derivative, of: "h[t]", wrt: "h[s]", where: "1 <= s < t", form: sum-of-products}
- {id: d, ask: derivative, of: "h[t]", wrt: "h[t-1]"}
- {id: e, ask: derivative, of: "h[3]", wrt: w, form: expanded}
""",
    "gated": """
symbols: {"x[t]": {shape: d}, "h[0]": 0, W: {shape: [n, d]}, U: {shape: [n, n]}}
steps: {t: 1..3}
model: ["z[t] = sigmoid(W @ x[t] + U @ h[t-1])", "h[t] = (1 - z[t]) * h[t-1] + z[t]"]
questions:
- {id: a, ask: derivative, of: "h[t]", wrt: W, form: sum-of-products}
- {id: b, ask: derivative, of: "h[t]", wrt: U, form: sum-of-products}
""",
    "attention over lags": """
symbols: {"x[t]": {shape: n}, "s[0]": {shape: n}, "s[-1]": {shape: n}, "s[-2]": {shape: n}, A: {shape: [n, n]}}
steps: {t: 1..T, j: 1..3}
model: ["e[j, t] = s[t-j].T @ A @ s[t-1]", "w[t] = softmax(stack(e[j, t], j=1..3))",
  "c[t] = sum(w[t][j] * s[t-j], j=1..3)", "s[t] = tanh(c[t] + x[t])", "L = loss(s[t], t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: "s[t]", form: sum-of-products}
- {id: b, ask: derivative, of: L, wrt: A, form: backprop}
""",
    "peepholes": """
symbols: {"x[t]": {shape: n}, "h[0]": {shape: n}, "s[0]": {shape: n}, R: {shape: [n, n]}, p: {shape: n}}
steps: {t: 1..T}
model: ["a[t] = R @ h[t-1] + x[t]", "i[t] = sigmoid(a[t] + p * s[t-1])", "s[t] = i[t] * s[t-1]", "h[t] = i[t] * tanh(s[t])"]
questions:
- {id: a, ask: derivative, of: "s[t]", wrt: "s[t-1]", hold: ["h[t-1]"]}
""",
    "the state before": """
symbols: {"x[t]": {shape: d}, "h[0]": {shape: n}, W: {shape: [n, n]}, U: {shape: [n, d]}, V: {shape: [m, n]},
  "y[t]": {shape: m, is: one-hot}}
steps: {t: 1..T}
model: ["h[t] = tanh(W @ h[t-1] + U @ x[t])", "E[t] = cross_entropy(y[t], softmax(V @ h[t]))",
  "L = loss(h[t], t=1..T)", "M = sum(E[t], t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: "h[t-1]", form: backprop}
- {id: b, ask: derivative, of: M, wrt: "h[t-1]", form: backprop}
""",
    "zero-based": """
index_base: 0
symbols: {E: {shape: [V, d]}, "c[j]": {is: index}}
steps: {j: 0..3}
model: ["h = sum(E[c[j], :], j=0..3) / 4", "L = sum(h**2)"]
questions:
- {id: a, ask: derivative, of: L, wrt: E}
""",
    "where": """
symbols: {"x[t]": {shape: d}, "h[0]": {shape: n}, W: {shape: [n, n]}, U: {shape: [n, d]}}
steps: {t: 1..T}
model: ["h[t] = tanh(W @ h[t-1] + U @ x[t])"]
questions:
- {id: a, ask: derivative, of: "h[t]", wrt: "h[s]", where: "1 <= s < t", form: sum-of-products}
- {id: b, ask: derivative, of: "h[t]", wrt: "x[s]", where: "1 <= s <= t", form: sum-of-products}
- {id: c, ask: derivative, of: "h[t]", wrt: "h[t-3]"}
- {id: d, ask: derivative, of: "h[T]", wrt: "h[0]", form: sum-of-products}
- {id: e, ask: derivative, of: "h[t]", wrt: U, form: sum-of-products}
""",
    "momentum": """
symbols: {"c[0]": {shape: n}, "h[0]": {shape: n}, A: {shape: [n, n]}, B: {shape: [n, n]}, y: {shape: n}}
steps: {t: 1..T}
model: ["c[t] = tanh(A @ h[t-1]) + c[t-1] / 2", "h[t] = sigmoid(B @ c[t]) * h[t-1]", "L = norm(h[T] - y)**2/2"]
questions:
- {id: a, ask: derivative, of: L, wrt: [A, B, "c[0]", "h[0]"], form: backprop}
- {id: b, ask: derivative, of: "h[t]", wrt: "h[t-1]"}
- {id: c, ask: derivative, of: "c[t]", wrt: "c[t-1]"}
""",
    "batch": """
symbols: {X: {shape: [m, d]}, W: {shape: [d, k]}, b: {shape: k}, Y: {shape: [m, k]}}
model: ["Z = X @ W + b", "H = relu(Z)", "L = sum((H - Y)**2) / (2*m)", "s = sum(H, axis=0)", "c = mean(H, axis=1)",
  "q = norm(c)**2"]
questions:
- {id: a, ask: derivative, of: L, wrt: [W, b, X]}
- {id: b, ask: derivative, of: L, wrt: [W, b, X], form: backprop}
- {id: c, ask: derivative, of: q, wrt: [W, b], form: backprop}
- {id: d, ask: derivative, of: L, wrt: W, form: factored}
- {id: e, ask: derivative, of: L, wrt: W, form: expanded}
""",
    "embed": """
symbols: {E: {shape: [v, d]}, i: {is: index}, w: {shape: d}, "tok[t]": {is: index}}
steps: {t: 1..T}
model: ["x = E[i, :]", "s = w.T @ x", "L = sum(w.T @ E[tok[t], :], t=1..T)"]
questions:
- {id: a, ask: derivative, of: s, wrt: [E, w]}
- {id: b, ask: derivative, of: L, wrt: E, form: backprop}
""",
    "resid": """
symbols: {x: {shape: n}, W: {shape: [n, n]}, V: {shape: [n, n]}, g: {shape: n}}
model: ["x0 = x", "x1 = x", "a = W @ x0", "r = tanh(a)", "q = V @ r", "y = x1 + q", "e = loss(y)"]
questions:
- {id: a, ask: derivative, of: e, wrt: [x, W, V]}
- {id: b, ask: derivative, of: e, wrt: [x, W, V], form: backprop}
- {id: c, ask: derivative, of: y, wrt: x}
- {id: d, ask: derivative, of: y, wrt: x, hold: ["x1"]}
- {id: e, ask: derivative, of: y, wrt: x, form: components}
""",
    "unnamed": """
symbols: {S: {shape: [n, n], is: [symmetric, positive-definite]}, u: {shape: n}, W: {shape: [n, n]}}
model: ["v = tanh(W @ u)", "a = v.T @ v"]
questions:
- {id: a, ask: derivative, of: "u.T @ inv(S) @ u", wrt: u}
- {id: b, ask: derivative, of: "a + sum(v)", wrt: [W, u], form: backprop}
- {id: c, ask: derivative, of: "a**2", wrt: [W, v], form: factored}
- {id: d, ask: derivative, of: "S @ v", wrt: u}
""",
    "past": """
symbols: {"x[t]": {shape: d}, "Q[i]": {shape: [n, n]}, U: {shape: [n, d]}, "h[1-k..0]": 0}
steps: {t: 1..T, i: 1..k}
model: ["q[i, t] = Q[i] @ h[t-i], i=1..k", "h[t] = tanh(U @ x[t] + sum(q[i, t], i=1..k))",
  "L = sum(sum(h[t]**2), t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [U, "Q[1]", "Q[i]", "x[t]", "h[t]"]}
- {id: b, ask: derivative, of: "h[t]", wrt: "h[t-2]"}
""",
    "layers": """
symbols: {x: {shape: n}, y: {shape: n}, "W[l]": {shape: [n, n]}, "b[l]": {shape: n}}
steps: {l: 1..3}
model: ["a[0] = x", "z[l] = W[l] @ a[l-1] + b[l]", "a[l] = relu(z[l])", "L = sum((a[3] - y)**2)"]
questions:
- {id: a, ask: derivative, of: L, wrt: ["z[l]", "W[l]", "W[2]"]}
- {id: b, ask: derivative, of: L, wrt: ["b[2]", x, "a[0]"]}
""",
    "pieces": """
symbols: {x: {shape: n}, y: {shape: n}, W: {shape: [m, n]}, X: {shape: [n, m]}, P: {shape: [m, n, d]}}
model: ["f = kron(W, X)", "g = concat(W, X.T, axis=0)", "q = P[1, :, 2]", "z = x @ x.T @ y", "u = x.T @ y @ x",
  "r = norm(X, axis=0)", "s = sum(cross_entropy(softmax(W, axis=1), sigmoid(W), axis=1)**2)", "v = x[3..4]"]
questions:
- {id: a, ask: derivative, of: f, wrt: [W, X]}
- {id: b, ask: derivative, of: g, wrt: W}
- {id: c, ask: derivative, of: q, wrt: P}
- {id: d, ask: derivative, of: "sum(z**2)", wrt: [x, y]}
- {id: e, ask: derivative, of: u, wrt: x}
- {id: f, ask: derivative, of: r, wrt: X}
- {id: g, ask: derivative, of: s, wrt: W}
- {id: h, ask: derivative, of: v, wrt: x}
""",
    "again": """
symbols: {x: {shape: n}, W: {shape: [n, n]}, y: {shape: n}}
model: ["h = tanh(W @ x)", "f = sum(h)", "g = grad(f, x)", "J = jacobian(h, x)", "r = norm(grad(f, x))**2",
  "s = y.T @ J @ y"]
questions:
- {id: a, ask: derivative, of: r, wrt: x}
- {id: b, ask: derivative, of: s, wrt: [W, x]}
- {id: c, ask: derivative, of: g, wrt: [x, W]}
- {id: d, ask: derivative, of: "norm(g)**2 + grad(f, x).T @ y", wrt: x, form: backprop}
- {id: e, ask: derivative, of: "grad(y.T @ grad(f, x), x).T @ y", wrt: y}
- {id: f, ask: derivative, of: "grad(f, W)", wrt: x}
""",
    "given": """
symbols: {W: {shape: [n, n]}, "x[t]": {shape: n}, "h[0]": {shape: n}}
steps: {t: 1..K}
model: ["h[t] = tanh(W @ h[t-1] + x[t])", "l = loss(h[t], t=1..K)"]
questions:
- {id: a, ask: derivative, of: l, wrt: [W, "h[0]", "x[t]", "h[t]"]}
""",
    "indexed": """
symbols: {y: {shape: n, is: probability}, q: {shape: n}, W: {shape: [n, m]}, w: {shape: m}}
model: ["p = softmax(q)", "e = -sum(y[i] * log(p[i]), i=1..n)", "s = sum(tanh(q[i])**2 * W[i, 2], i=1..n)",
  "r = sum(W[i, j] * w[j] * q[i], i=1..n, j=1..m)", "u = sum(i * q[i], i=1..n)"]
questions:
- {id: a, ask: derivative, of: e, wrt: q}
- {id: b, ask: derivative, of: s, wrt: [q, W]}
- {id: c, ask: derivative, of: r, wrt: [q, W, w]}
- {id: d, ask: derivative, of: u, wrt: q}
- {id: e, ask: derivative, of: "sum(q[i]**2 * w[2], i=1..3)", wrt: [q, w]}
""",
    "numbered": """
symbols: {"x[t]": {shape: d}, "y[t]": {shape: k, is: one-hot}, "h[0]": {shape: n}, U: {shape: [n, d]}, W: {shape: [n, n]},
  V: {shape: [k, n]}}
steps: {t: 1..3}
model: ["h[t] = tanh(U @ x[t] + W @ h[t-1])", "E[t] = cross_entropy(y[t], softmax(V @ h[t]))", "L = sum(E[t], t=1..3)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [W, U], form: sum-of-products}
- {id: b, ask: derivative, of: L, wrt: "h[1]", form: sum-of-products}
""",
    "separate": """
symbols: {"x[t]": {shape: n}, w: {shape: n}, c: {}}
steps: {t: 1..T}
model: ["s[t] = tanh(w.T @ x[t] + c)", "L = sum(s[t]**2, t=1..T)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [w, c, "x[t]", "x[2]", "s[t]"]}
""",
    "samples": """
symbols: {"x[i]": {shape: d}, "y[i]": {}, w: {shape: d}, b: {}}
steps: {i: 1..N}
model: ["s[i] = w.T @ x[i] + b", "p[i] = sigmoid(s[i])", "E[i] = -y[i] * log(p[i]) - (1 - y[i]) * log(1 - p[i])",
  "L = sum(E[i], i=1..N) / N"]
questions:
- {id: a, ask: derivative, of: L, wrt: [w, b, "x[i]", "s[i]"]}
- {id: b, ask: derivative, of: L, wrt: [w, b], form: factored}
- {id: c, ask: derivative, of: L, wrt: w, order: 2}
- {id: d, ask: derivative, of: L, wrt: w, form: components}
""",
    "logistic": """
symbols: {X: {shape: [N, d]}, y: {shape: N}, w: {shape: d}, b: {}}
model: ["s = X @ w + b", "p = sigmoid(s)", "L = -sum(y * log(p) + (1 - y) * log(1 - p)) / N"]
questions:
- {id: a, ask: derivative, of: L, wrt: [w, b]}
- {id: b, ask: derivative, of: L, wrt: w, order: 2}
- {id: c, ask: derivative, of: L, wrt: [w, b], form: backprop}
""",
    "negatives": """
symbols: {v: {shape: d}, u: {shape: d}, "w[k]": {shape: d}}
steps: {k: 1..K}
model: ["L = -log(sigmoid(u.T @ v)) - sum(log(sigmoid(-w[k].T @ v)), k=1..K)"]
questions:
- {id: a, ask: derivative, of: L, wrt: [v, "w[k]"]}
""",
    "context": """
symbols: {"h[s]": {shape: n}, q: {shape: n}, A: {shape: [k, n]}, B: {shape: [k, n]}, v: {shape: k}}
steps: {s: 1..S}
model: ["e[s] = v.T @ tanh(A @ q + B @ h[s])", "a = softmax(stack(e[s], s=1..S))", "c = sum(a[s] * h[s], s=1..S)",
  "L = norm(c)**2"]
questions:
- {id: a, ask: derivative, of: c, wrt: [q, "h[s]"]}
- {id: b, ask: derivative, of: L, wrt: [q, A, "h[s]"]}
""",
    "tied": """
symbols: {"x[t]": {shape: d}, "h[0]": {shape: n}, W: {shape: [n, n]}, U: {shape: [n, d]}, "y[t]": {shape: n}}
steps: {t: 1..T}
model: ["h[t] = sigmoid(W @ h[t-1] + U @ x[t])", "o[t] = W.T @ h[t]", "e[t] = norm(o[t] - y[t])**2 / 2",
  "L = sum(e[t], t=1..T) / T"]
questions:
- {id: a, ask: derivative, of: "e[t]", wrt: W, form: sum-of-products}
- {id: b, ask: derivative, of: L, wrt: [W, U, "h[0]", "x[t]", "h[t]"], form: sum-of-products}
- {id: c, ask: derivative, of: "h[t][i]", wrt: "W[j,k]", form: components}
- {id: d, ask: derivative, of: L, wrt: U, form: components}
""",
    "logs": """
symbols: {A: {shape: [n, n], is: invertible}}
model: ["P = log(det(A.T @ A))", "Q = log(abs(det(A)))"]
questions:
- {id: a, ask: derivative, of: P, wrt: A}
- {id: b, ask: derivative, of: Q, wrt: A}
""",
    "crf": """
symbols: {"u[t]": {shape: K}, A: {shape: [K, K]}}
steps: {t: 1..T}
model: ["a[1] = u[1]", "a[t] = u[t] + log(exp(A).T @ exp(a[t-1])), t=2..T", "Z = log(sum(exp(a[T])))"]
questions:
- {id: a, ask: derivative, of: Z, wrt: [A, "u[t]"], form: backprop}
- {id: b, ask: derivative, of: "a[t]", wrt: "a[t-1]"}
""",
    "stacked": """
symbols: {"x[t]": {shape: n}, "h[l, 0]": {shape: n}, "W[l]": {shape: [n, n]}, "U[l]": {shape: [n, n]}, y: {shape: n}}
steps: {l: 1..M, t: 1..T}
model: ["h[0, t] = x[t]", "h[l, t] = tanh(W[l] @ h[l-1, t] + U[l] @ h[l, t-1])", "L = (y.T @ h[M, T])**2"]
questions:
- {id: a, ask: derivative, of: L, wrt: ["W[l]", "U[l]", "x[t]"], form: backprop}
""",
}


@cache
def solved(name: str) -> tuple[Problem, tuple[Derivation, ...]]:
    problem = pipeline.load(f"title: {name}{PROBLEMS[name]}")
    return problem, pipeline.derive(problem)


def written(expr: Expr) -> str:
    return latex(read(expr, Style()))


QUESTIONS = [(name, q.id) for name in PROBLEMS for q in pipeline.load(f"title: {name}{PROBLEMS[name]}").questions]


def answered(name: str, question: str) -> Derivation:
    return next(d for d in solved(name)[1] if d.id == question)


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_every_question_is_certified(name: str, question: str) -> None:
    found = answered(name, question)
    assert (found.status, found.message) == ("certified", "")
    for result in found.results:
        assert {c.kind for c in result.checks} >= {"complex step", "central differences"}
        assert all(c.ok and c.max_rel_error < 1e-5 for c in result.checks)


AWKWARD = {
    "a number with a point": r"\d\.\d",
    "a factor I": r"(?<![A-Za-z_{\\])I [A-Z]|[A-Z] I(?![A-Za-z_])",
    "a double transpose": r"\\top\}\^\{\\top",
    "a zero term": r"[+-] (0|\\mathbf\{0\})(?![.\d])",
    "a factor 1": r"(?<!= )(?<![\d_^{.])1 [a-zA-Z(]",
    "a double minus": r"- -|\+ -|- \(-",
    "a fraction that cancels": r"\\frac\{(\d+)\}\{\1 ",
    "a leading minus where a plus follows": r"^-[a-z]+ \+ ",
    "a reshape": r"reshape",
}


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_lines_read_well(name: str, question: str) -> None:
    for result in answered(name, question).results:
        for line in lines(result.blocks):
            for side in line.right:
                text = written(side)
                awkward = [what for what, pattern in AWKWARD.items() if re.search(pattern, text)]
                assert awkward == [], text


ANSWERS: dict[tuple[str, str, str], str] = {
    ("written with indices", "a", "z"): r"\operatorname{diag}(p) - p\, p^{\top}",
    ("written with indices", "b", "V"): r"(p - y)\, h^{\top}",
    ("written with indices", "b", "W"): r"D V^{\top} (p - y)\, x^{\top}",
    ("written with indices", "c", "x"): r"W^{\top} \delta a",
    ("written with indices", "e", "Q"): r"-2 (X - Q W)\, W^{\top}",
    ("unnamed outputs", "a", "W"): r"D_2 V^{\top} e_2\, h_1^{\top}",
    ("unnamed outputs", "b", "W"): r"D_2 V^{\top} e_2\, h_1^{\top}",
    ("unnamed outputs", "c", "V"): r"e_3\, h_3^{\top} + e_2\, h_2^{\top} + e_1\, h_1^{\top}",
    ("unnamed outputs", "d", "V"): r"\sum_{t=1}^{3} e_t\, h_t^{\top}",
    ("unnamed outputs", "e", "V"): r"\sum_{t=1}^{3} \delta z_t\, h_t^{\top}",
    ("unnamed outputs", "f", "W"): r"\mathbf{0}",
    ("three axes", "b", "h[0]"): r"\sum_{i=1}^{n} [\delta a_1]_i W_{i,:,:} x_1",
    ("one among all", "a", "q"): (
        r"\frac{1}{\tau} \sum_{i=0}^{N} \biggl(\frac{e^{s_i}}{\sum_{k=0}^{N} e^{s_k}} - \mathbf{1}[i = 0]\biggr)\, k_i"
    ),
    ("experts", "a", "G"): r"\operatorname{diag}(g)\, \bigl(\delta - (g^{\top} \delta)\, \mathbf{1}\bigr)\, x^{\top}",
    ("experts", "b", "z"): r"\operatorname{softmax}(z) - t_1",
    ("experts", "c", "w"): r"-\sum_{t=1}^{T} \frac{c_t}{1 + e^{c_tw^{\top}u_t}}\, u_t",
    ("decoder", "step", "g[s-1]"): (r"D_s C + \sum_{t=1}^{T} [a_s]_t D_s (h_t - c_s)\, h_t^{\top} A^{\top}"),
    ("decoder", "context", "a[s]"): r"\sum_{t=1}^{T} h_t\, \mathbf{e}_t^{\top}",
    ("forward recursion", "step", "alpha[t-1]"): (
        r"\sum_{j=1}^{k} \mathbf{e}_j\, \operatorname{softmax}(\alpha_{t-1} + A_{:,j})^{\top}"
    ),
    ("past", "b", "h[t-2]"): r"\mathbf{1}[2 \le k] D_t Q_2 + D_t Q_1 D_{t-1} Q_1",
    ("both ways", "states", "b[s]"): r"\prod_{j=t}^{s-1} (D_j B)",
    ("both ways", "first", "f[s]"): r"\prod_{j=t}^{s+1} (D_j A)",
    ("normalised", "scale", "gamma"): r"\sum_{i=1}^{m} \frac{\partial l}{\partial y_i}\, \hat{x}_i",
    ("normalised", "moments", "v"): (
        r"-\frac{\gamma}{2 (v + \varepsilon)^{3/2}} \sum_{i=1}^{m} \frac{\partial l}{\partial y_i}\, (x_i - \mu)"
    ),
    ("images", "twice", "x"): r"(A^{\top} B + B^{\top} A)\, x",
    ("images", "outer", "x"): r"(x^{\top} y)\, I + x\, x^{\top} (A^{\top} + A)",
    ("images", "matrix", "X"): r"(C + C^{\top})\, X",
    ("images", "apart", "x"): r"A^{\top} \mathbf{1} + 2 B^{\top} z",
    ("mlp", "a", "W[1]"): r"D_1 W_2^{\top} D_2 W_3^{\top} D_3 V^{\top} (p - y)\, h_0^{\top}",
    ("mlp", "a", "b[2]"): r"D_2 W_3^{\top} D_3 V^{\top} (p - y)",
    ("mlp", "a", "V"): r"(p - y)\, h_3^{\top}",
    ("mlp", "c", "W[2]"): r"\delta_2\, h_1^{\top}",
    ("mlp", "d", "h[1]"): r"D_3 W_3 D_2 W_2",
    ("mlpL", "b", "W[l]"): r"\delta a_l\, h_{l-1}^{\top}",
    ("mlpL", "c", "W[l]"): r"D_l \biggl(\prod_{j=N}^{l+1} (D_j W_j)\biggr)^{\top} (h_N - y)\, h_{l-1}^{\top}",
    ("mlpL", "d", "h[0]"): r"\prod_{j=N}^{1} (D_j W_j)",
    ("attention", "a", "Wv"): r"X^{\top} A^{\top} (O - Y)",
    ("attention", "b", "X"): r"\delta V \mathit{Wv}^{\top} + \delta Q \mathit{Wq}^{\top} + \delta K \mathit{Wk}^{\top}",
    ("layernorm", "b", "x"): (
        r"\frac{w \odot g}{\sqrt{v + 1}} + \frac{2 \delta v}{n}\, (x - \mu) + \frac{\delta \mu}{n}\, \mathbf{1}"
    ),
    ("layernorm", "c", "x"): (
        r"\frac{1}{\sqrt{v + 1}} \biggl(I - \frac{1}{n\, (v + 1)} (x - \mu)\, (x - \mu)^{\top} - "
        r"\frac{1}{n} \mathbf{1}\, \mathbf{1}^{\top}\biggr)"
    ),
    ("attending", "a", "s"): r"W H^{\top} \delta",
    ("attending", "a", "H"): r"a\, (p - y)^{\top} U + \delta\, s^{\top} W",
    ("attending", "a", "e"): (
        r"\operatorname{diag}(a)\, \bigl(H U^{\top} (p - y) - \bigl(a^{\top} H U^{\top} (p - y)\bigr)\, \mathbf{1}\bigr)"
    ),
    ("rmsnorm", "a", "x"): r"\frac{1}{\lVert x \rVert} \biggl(I - \frac{x\, x^{\top}}{\lVert x \rVert^{2}}\biggr)",
    ("rmsnorm", "c", "x"): r"2 x",
    ("birnn", "a", "Wf"): r"\sum_{t=1}^{T} \delta a_{hf,t}\, \mathit{hf}_{t-1}^{\top}",
    ("birnn", "a", "Wb"): r"\sum_{t=1}^{T} \delta a_{hb,t}\, \mathit{hb}_{t+1}^{\top}",
    ("birnn", "a", "x[t]"): r"\mathit{Uf}^{\top} \delta a_{hf,t} + \mathit{Ub}^{\top} \delta a_{hb,t}",
    ("gru", "a", "h[t-1]"): (
        r"D_{h,t} + \operatorname{diag}(g_t - h_{t-1})\, D_{z,t} \mathit{Uz} + \operatorname{diag}(z_t)\, "
        r"D_{g,t} \mathit{Uc} \bigl(\operatorname{diag}(r_t) + \operatorname{diag}(h_{t-1})\, D_{r,t} "
        r"\mathit{Ur}\bigr)"
    ),
    ("gru", "b", "Uc"): r"\sum_{t=1}^{T} \delta a_{g,t}\, (r_t \odot h_{t-1})^{\top}",
    ("gru", "hold", "h[t-1]"): r"D_{h,t} + \operatorname{diag}(z_t)\, D_{g,t} \mathit{Uc} \operatorname{diag}(r_t)",
    ("gru", "leave", "h[t-1]"): (
        r"D_{h,t} + \operatorname{diag}(g_t - h_{t-1})\, \frac{\partial z_t}{\partial h_{t-1}} + "
        r"\operatorname{diag}(z_t)\, \frac{\partial g_t}{\partial h_{t-1}}"
    ),
    ("logistic", "a", "w"): r"\frac{1}{N} X^{\top} (p - y)",
    ("samples", "a", "w"): r"\frac{1}{N} \sum_{i=1}^{N} (p_i - y_i)\, x_i",
    ("samples", "a", "x[i]"): r"\frac{p_i - y_i}{N}\, w",
    ("samples", "c", "w"): r"\frac{1}{N} \sum_{i=1}^{N} p_i (1 - p_i)\, x_i\, x_i^{\top}",
    ("logs", "b", "A"): r"A^{-\top}",
    ("second", "a", "A"): r"\sum_{t=1}^{T} \delta a_t\, h_{t-1}^{\top}",
    ("second", "a", "h[0]"): r"A^{\top} \delta a_1 + B^{\top} \delta a_2",
    ("second", "b", "h[t-2]"): r"D_t (B + A D_{t-1} A)",
    ("hess", "a", "x"): r"\frac{1}{2} (S + S^{\top})",
    ("hess", "b", "x"): r"P",
    ("hess", "c", "w"): r"p (1 - p)\, x\, x^{\top}",
    ("hess", "d", "x"): r"\operatorname{diag}(g) - g\, g^{\top}",
    ("hess", "g", "x"): r"\operatorname{diag}(g)",
    ("hess", "h", "w"): r"(p - y)\, x",
    ("vm", "e", "x"): r"D W",
    ("user", "b", "x"): r"\bigl(\operatorname{diag}\bigl(\sigma(a W x)\bigr) + a D_y\bigr)\, W",
    ("asm", "c", "x"): r"V_{1,:}",
    ("asm", "d", "x"): r"\begin{bmatrix} y_{1:2} \\ \mathbf{0}_{n-2} \end{bmatrix}",
    ("asm", "e", "x"): r"W_{:,1:n}",
    ("asm", "f", "x"): r"I",
    ("kinks", "a", "x"): r"\mathbf{1}[x > 0]",
    ("kinks", "b", "x"): r"\mathbf{e}_{\arg\max_i x_i}",
    ("kinks", "c", "x"): r"\operatorname{sign}(x)",
    ("kinks", "d", "x"): r"3 \bigl(1 - \mathbf{1}[x > 0]\bigr) + 2 \mathbf{1}[x > 0] \odot x",
    ("kinks", "f", "s"): (
        r"\sum_{\substack{j = 1 \\ j \ne 2}}^{k} \mathbf{1}[s_j - s_2 + 1 > 0] (\mathbf{e}_j - \mathbf{e}_2)"
    ),
    ("ce", "a", "x"): r"p - q",
    ("ce", "b", "x"): r"\Bigl(\sum_i y_i\Bigr)\, p - y",
    ("ce", "d", "Z"): r"\frac{1}{m} (P - Y)",
    ("ce", "e", "x"): r"p - q",
    ("ce", "f", "x"): r"\operatorname{softmax}(x) - q",
    ("mats", "a", "A"): r"B^{\top}",
    ("mats", "b", "X"): r"2 X",
    ("mats", "c", "A"): r"A^{-\top}",
    ("mats", "d", "A"): r"-A^{-\top} x\, x^{\top} A^{-\top}",
    ("mats", "f", "A"): r"-A^{-\top} A^{-\top}",
    ("mats", "g", "A"): r"t_7 A^{-\top}",
    ("mats", "h", "A"): r"A (B + B^{\top})",
    ("mats", "i", "x"): r"2 S^{-1} x",
    ("T1", "a", "W"): r"\delta a_1\, h_0^{\top}",
    ("indexed", "a", "q"): "p - y",
    ("again", "a", "x"): r"-4 W^{\top} D \bigl(\bigl(W W^{\top} (1 - h \odot h)\bigr) \odot h\bigr)",
    ("scalar", "a", "w"): r"(p - y)\, x",
    ("scalar", "d", "x"): r"-m z w",
    ("scalar", "e", "z"): r"\cos^{2}(z) - \sin^{2}(z)",
    ("scalar", "g", "z"): r"p\, (1 - p)",
    ("scalrec", "b", "w"): (
        r"\sum_{k=1}^{t} \biggl(\prod_{j=t}^{k+1} \bigl((1 - h_j^{2})\, w\bigr)\biggr) (1 - h_k^{2})\, h_{k-1}"
    ),
    ("scalrec", "c", "h[s]"): r"\prod_{j=t}^{s+1} \bigl((1 - h_j^{2})\, w\bigr)",
    ("where", "a", "h[s]"): r"\prod_{j=t}^{s+1} (D_j W)",
    ("where", "b", "x[s]"): r"\biggl(\prod_{j=t}^{s+1} (D_j W)\biggr)\, D_s U",
    ("where", "c", "h[t-3]"): r"D_t W D_{t-1} W D_{t-2} W",
    ("where", "d", "h[0]"): r"\prod_{j=T}^{1} (D_j W)",
    ("momentum", "b", "h[t-1]"): r"\operatorname{diag}\bigl(\sigma(B c_t)\bigr) + D_{h,t} B D_{c,t} A",
    ("batch", "a", "W"): r"\frac{1}{m} X^{\top} \bigl((H - Y) \odot \mathbf{1}[Z > 0]\bigr)",
    ("batch", "c", "b"): r"\delta Z^{\top} \mathbf{1}",
    ("embed", "a", "E"): r"\mathbf{e}_i\, w^{\top}",
    ("embed", "b", "E"): r"\sum_{t=1}^{T} \mathbf{e}_{\mathrm{tok}_t}\, w^{\top}",
    ("resid", "a", "x"): r"\frac{\partial e}{\partial y} + W^{\top} D V^{\top}\, \frac{\partial e}{\partial y}",
    ("resid", "c", "x"): r"I + V D W",
    ("resid", "d", "x"): r"V D W",
}


@pytest.mark.parametrize(("name", "question", "wrt"), ANSWERS)
def test_the_whole_answer(name: str, question: str, wrt: str) -> None:
    (result,) = [r for r in answered(name, question).results if r.wrt == wrt]
    assert result.value is not None
    assert written(result.value) == ANSWERS[name, question, wrt]


# The generated programs

COMPUTED = [q for q in QUESTIONS if q[0] != "T1000"]


@cache
def functions(name: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    problem, derivations = solved(name)
    exec(compile(numpy_module(problem, derivations), f"{name}.py", "exec"), space)
    return space


@pytest.mark.parametrize(("name", "question"), COMPUTED)
def test_the_code_agrees_with_differences(name: str, question: str) -> None:
    problem, derivation = solved(name)[0], answered(name, question)
    asked = problem.question(question)
    made = program(problem, derivation)
    conditions = [c for c in asked.where if not isinstance(c, Expr)]
    exprs = [asked.of.expr, *(w.expr for w in asked.wrt)]
    sizes = choose_sizes(problem.system, exprs, conditions)[1]
    numbers = Numbers.of(problem.system, sizes, points=1, seed=11)
    arguments = {leaf.argument: argument(leaf, numbers) for leaf in made.leaves}
    arguments |= {s.name: sizes[s] for s in made.integers}
    found = functions(name)[question](**arguments)
    held = [h.expr for h in asked.several("hold")]
    for w in asked.wrt:
        of = asked.of.expr
        if asked.order == 2:
            of = Deriv(of, w.expr, "total", w.expr.shape)
        value = found[w.text] if asked.wrt_is_list else found
        expected = numbers.differences(of, w.expr, held, 1e-4)[0]
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


def argument(leaf: Leaf, numbers: Numbers) -> np.ndarray[Any, np.dtype[Any]]:
    """The array of an input, index axes first, with the values that the forward model has."""
    if not leaf.ranges:
        return np.asarray(numbers.value(reindex(leaf.node, numbers.sizes))[0], dtype=float)
    head, *rest = leaf.ranges
    lo, hi = (evaluate_int(v, numbers.sizes) for v in (head.lo, head.hi))
    return np.array(
        [argument(Leaf("", at(leaf.node, {head.symbol: k}), tuple(rest)), numbers) for k in range(lo, hi + 1)]
    )


def at(node: Var | Deriv, indices: Mapping[Any, int]) -> Any:
    return reindex(node, indices)


def test_a_thousand_steps_cost_no_more_than_three() -> None:
    """The pass over T = 1000 is derived at an open end: its sums are those of the small problem, with another end."""
    (few,), (many,) = ([r for r in answered(n, "a").results if r.wrt == "U"] for n in ("T3", "T1000"))
    assert few.value is not None
    assert many.value is not None
    assert written(many.value).replace("1000", "3") == written(few.value)


def test_a_step_without_a_range_is_no_argument() -> None:
    text = """symbols: {"x[t]": {shape: n}, "h[t-1]": {shape: n}, "h[t-2]": {shape: n}, W: {shape: [n, n]}}
model: ["h[t] = tanh(W @ h[t-1] + x[t]) * h[t-2]"]
questions: [{id: lambda, ask: derivative, of: "h[t]", wrt: "h[t-1]"}]
"""
    problem = pipeline.load(text)
    (derivation,) = pipeline.derive(problem)
    made = program(problem, derivation)
    assert made.name == "lambda_"
    assert {leaf.argument for leaf in made.leaves} == {"x_t", "h_tm1", "h_tm2", "W"}
    assert made.integers == ()


SUMS = """
symbols: {X: {shape: [N, d]}, Y: {shape: [N, k]%s}, W: {shape: [d, k]}}
model: ["P = softmax(X @ W, axis=1)", "L = %s"]
questions: [{id: a, ask: derivative, of: L, wrt: W%s}]
"""
ASSUMED = ', assume: ["sum(Y, axis=1) == 1"]'


@pytest.mark.parametrize("loss", ["-sum(Y * log(P)) / N", "mean(cross_entropy(Y, P, axis=1))"])
@pytest.mark.parametrize(("fact", "assumed"), [(", is: one-hot", ""), (", is: probability", ""), ("", ASSUMED)])
def test_rows_that_sum_to_one_shorten_a_cross_entropy(loss: str, fact: str, assumed: str) -> None:
    problem = pipeline.load(SUMS % (fact, loss, assumed))
    (derivation,) = pipeline.derive(problem)
    value = derivation.results[0].value
    assert value is not None
    assert written(value) == r"\frac{1}{N} X^{\top} (P - Y)"


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_results_name_only_what_the_sheet_says(name: str, question: str) -> None:
    problem, _ = solved(name)
    derivation = answered(name, question)
    said = {*problem.declarations, *(d.family for d in problem.system.definitions)}
    found = [block for result in derivation.results for block in result.blocks]
    said |= {x.name for line in lines(found) for x in (line.left, *line.right[:-1]) if isinstance(x, Var)}
    for result in derivation.results:
        introduced = {x.name.name for x in (*result.where, *found) if isinstance(x, Introduced)}
        assert result.value is not None
        assert {v.name for v in variables(result.value, into_derivatives=True)} <= said | introduced


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_lines_name_only_what_is_explained(name: str, question: str) -> None:
    """Every name in a line is the model's, or some equation of the answer says what it is."""
    problem, _ = solved(name)
    blocks = [block for result in answered(name, question).results for block in result.blocks]
    known = {*problem.declarations, *(d.family for d in problem.system.definitions)}
    known |= {x.name.name for x in blocks if isinstance(x, Introduced)}
    said = lines(blocks)
    known |= {x.left.name for x in said if isinstance(x.left, Var)}
    known |= {v.name for x in said if len(x.right) > 1 for v in x.right if isinstance(v, Var)}
    for line in said:
        used = {v.name for v in variables(line.left, *line.right, into_derivatives=True) if v.name != "v"}
        assert used <= known, source(line.left)


SOFTMAX = """
index_base: %d
symbols: {z: {shape: n}}
model: ["p = softmax(z)"]
questions: [{id: a, ask: derivative, of: "%s", wrt: "%s", form: components}]
"""


@pytest.mark.parametrize(
    ("base", "of", "wrt", "expected"),
    [
        (1, "p[a]", "z[b]", r"p_a\, (\delta_{ab} - p_b)"),
        (0, "p[a]", "z[b]", r"p_a\, (\delta_{ab} - p_b)"),
        (1, "p", "z", r"p_i\, (\delta_{ij} - p_j)"),
        (0, "p", "z", r"p_i\, (\delta_{ij} - p_j)"),
        (1, "p[1]", "z[2]", r"-\mathbf{1}[2 \le n] p_2 p_1"),
        (0, "p[0]", "z[1]", r"-\mathbf{1}[2 \le n] p_1 p_0"),
    ],
)
def test_entries_read_alike_from_zero_and_from_one(base: int, of: str, wrt: str, expected: str) -> None:
    problem = pipeline.load(SOFTMAX % (base, of, wrt))
    text = pipeline.printed([(problem, pipeline.derive(problem))], "tex")
    assert isinstance(text, str)
    assert rf"\boxed{{{expected}}}" in text


def test_two_open_indices_are_tried_equal_and_apart() -> None:
    """With a = b alone, δ_ab and 1 would be the same."""
    problem = pipeline.load(SOFTMAX % (1, "p[a]", "z[b]"))
    of, wrt = problem.questions[0].of.expr, problem.questions[0].wrt[0].expr
    chosen = choose_sizes(problem.system, [of, wrt])
    pairs = [tuple(sizes[s] for s in sorted(sizes, key=str) if s.name in "ab") for sizes in chosen]
    assert {a == b for a, b in pairs} == {True, False}


CELL = """
symbols:
  x[t]: {shape: d}
  h[0]: {shape: n}
  c[0]: {shape: n}
  F: {shape: [n, n]}
  G: {shape: [n, n]}
  U: {shape: [n, d]}
steps: {t: 1..T}
model:
  - f[t] = sigmoid(F @ h[t-1] + U @ x[t])
  - g[t] = tanh(G @ h[t-1] + U @ x[t])
  - c[t] = f[t] * c[t-1] + g[t]
  - h[t] = tanh(c[t])
questions:
  - {id: carried, ask: derivative, of: "c[t]", wrt: "c[s]", hold: HELD, where: "1 <= s < t"}
"""


@pytest.mark.parametrize("held", ['["f[t]", "g[t]"]', '["h[t]"]'])
def test_what_is_held_at_an_open_step_is_held_at_every_step(held: str) -> None:
    result = symgrad.load(CELL.replace("HELD", held)).solve()["carried"].results[0]
    assert result.latex == r"\prod_{j=t}^{s+1} \operatorname{diag}(f_j)"
    random = np.random.default_rng(3)
    n, d, last, s, t = 3, 2, 6, 2, 5
    shapes = {"x": (last, d), "h0": (n,), "c0": (n,), "F": (n, n), "G": (n, n), "U": (n, d)}
    given = {name: random.normal(size=shape) for name, shape in shapes.items()}
    h, c, expected = given["h0"], given["c0"], np.ones(n)
    for step, x in enumerate(given["x"], start=1):
        f = 1 / (1 + np.exp(-given["F"] @ h - given["U"] @ x))
        c = f * c + np.tanh(given["G"] @ h + given["U"] @ x)
        h = np.tanh(c)
        expected = expected * f if s < step <= t else expected
    np.testing.assert_allclose(result.evaluate(**given, s=s, t=t), np.diag(expected), rtol=1e-12)


FAR = """
symbols:
  h[0]: {shape: n}
  W: {shape: [n, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(W @ h[t-1])
questions:
  - {id: a, ask: derivative, of: "%s", wrt: "%s"}
"""


@pytest.mark.parametrize(
    ("of", "wrt", "expected"),
    [
        ("h[t]", "h[2]", r"\prod_{j=t}^{3} (D_j W)"),
        ("h[t]", "h[12]", r"\prod_{j=t}^{13} (D_j W)"),
        ("h[t]", "h[500]", r"\prod_{j=t}^{501} (D_j W)"),
    ],
)
def test_a_numbered_step_before_an_open_one(of: str, wrt: str, expected: str) -> None:
    (derivation,) = pipeline.derive(pipeline.load(FAR % (of, wrt)))
    (result,) = derivation.results
    assert result.value is not None
    assert written(result.value) == expected


@pytest.mark.parametrize(("of", "wrt"), [("h[t]", "h[99999999998]"), ("h[99999999998]", "h[1]")])
def test_a_step_too_far_to_be_worked_out_is_refused_at_once(of: str, wrt: str) -> None:
    (derivation,) = pipeline.derive(pipeline.load(FAR % (of, wrt)))
    assert derivation.message == "step 99999999998 is too far to be worked out in numbers"


CUT = """
symbols:
  x[t]: {shape: d}
  y[t]: {shape: m}
  h[0]: {shape: n}
  W: {shape: [n, n]}
  U: {shape: [n, d]}
  V: {shape: [m, n]}
steps: {t: 1..%s}
model:
  - h[t] = tanh(W @ h[t-1] + U @ x[t])
  - E[t] = norm(V @ h[t] - y[t])**2 / 2
  - L = sum(E[t], t=1..%s)
questions:
  - {id: a, ask: derivative, of: "%s", wrt: W, hold: ["%s"], form: %s}
"""
FORMS = ("chain", "expanded", "factored", "backprop", "sum-of-products", "components")


def moved(given: Mapping[str, Any], of: str, held: int, t: int) -> np.ndarray:
    """∂of/∂W by central differences of the recurrence itself, the state at one step kept at its value."""

    def run(weights: np.ndarray, kept: np.ndarray | None) -> list[np.ndarray]:
        states = [given["h0"]]
        for step, x in enumerate(given["x"], start=1):
            new = np.tanh(weights @ states[-1] + given["U"] @ x)
            states.append(kept if kept is not None and step == held else new)
        return states

    at_rest = run(given["W"], None)[held]

    def value(weights: np.ndarray) -> np.ndarray:
        states = run(weights, at_rest)
        losses = [np.sum((given["V"] @ h - y) ** 2) / 2 for h, y in zip(states[1:], given["y"], strict=True)]
        return {"L": np.sum(losses), "E[t]": losses[t - 1], "E[5]": losses[4], "h[t]": states[t]}[of]

    h = 1e-6
    out = np.zeros((*np.shape(value(given["W"])), *given["W"].shape))
    for place in np.ndindex(*given["W"].shape):
        step = np.zeros_like(given["W"])
        step[place] = h
        out[(..., *place)] = (value(given["W"] + step) - value(given["W"] - step)) / (2 * h)
    return out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("end", "of", "hold"),
    [
        ("5", "E[5]", "h[3]"),
        ("5", "L", "h[3]"),
        ("5", "E[t]", "h[t-2]"),
        ("T", "E[t]", "h[t-1]"),
        ("T", "E[5]", "h[3]"),
        ("T", "h[t]", "h[t-2]"),
    ],
)
def test_what_is_held_at_one_step_stays_fixed_in_every_form(end: str, of: str, hold: str, form: str) -> None:
    if of == "h[t]" and form == "backprop":
        pytest.skip("a backward pass is of a scalar")
    result = symgrad.load(CUT % (end, end, of, hold, form)).solve()["a"].results[0]
    random = np.random.default_rng(5)
    n, d, m, last, t = 3, 2, 2, 5, 4
    shapes = {"x": (last, d), "y": (last, m), "h0": (n,), "W": (n, n), "U": (n, d), "V": (m, n)}
    given: dict[str, Any] = {name: random.normal(size=shape) for name, shape in shapes.items()}
    held = {"h[3]": 3, "h[t-1]": t - 1, "h[t-2]": t - 2}[hold]
    read = {**given, **({"t": t} if "t" in of else {})}
    for unread in ("y", "V") if of == "h[t]" else ():
        del read[unread]
    found = result.evaluate(**read)
    np.testing.assert_allclose(found, moved(given, of, held, t), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("of", "hold"), [("E[t]", "h[3]"), ("L", "h[T-2]"), ("E[6]", "h[T-2]")])
def test_one_step_of_a_recurrence_without_an_end_is_not_held(of: str, hold: str, form: str) -> None:
    (derivation,) = pipeline.derive(pipeline.load(CUT % ("T", "T", of, hold, form)))
    assert derivation.message == (
        f"{hold.replace('T-', 'T - ')} is held at one step, and how many lie behind it is open; "
        "hold h[t], which is every step, or give the steps numbers"
    )


BOTH_WAYS = """
title: Outputs of two recurrences
symbols:
  x[t]: {shape: d}
  h[0]: {shape: n}
  g[T+1]: {shape: n}
  W: {shape: [n, d]}
  U: {shape: [n, n]}
  R: {shape: [n, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(W @ x[t] + U @ h[t-1])
  - g[t] = tanh(W @ x[t] + R @ g[t+1])
  - o[t] = h[t] * g[t]
  - l = loss(o[t], t=1..T)
questions:
  - {id: q, ask: derivative, of: l, %s}
"""
THROUGH_OUTPUTS = [
    ("wrt: 'h[0]'", r"U^{\top} \delta a_{h,1}"),
    (
        "wrt: R, form: sum-of-products",
        r"\sum_{t=1}^{T} \sum_{k=t}^{T} D_k \biggl(\prod_{j=t}^{k-1} (D_j R)\biggr)^{\top} \operatorname{diag}(h_t)\,"
        r" \frac{\partial l}{\partial o_t}\, g_{k+1}^{\top}",
    ),
    (
        "wrt: U, form: sum-of-products",
        r"\sum_{t=1}^{T} \sum_{k=1}^{t} D_k \biggl(\prod_{j=t}^{k+1} (D_j U)\biggr)^{\top} \operatorname{diag}(g_t)\,"
        r" \frac{\partial l}{\partial o_t}\, h_{k-1}^{\top}",
    ),
]


@pytest.mark.parametrize(("question", "expected"), THROUGH_OUTPUTS)
def test_a_loss_of_outputs_reaches_the_states_behind_them(question: str, expected: str) -> None:
    """The loss reads o_t = h_t ⊙ g_t: what is given is ∂l/∂o_t, and no partial by a state."""
    answer = symgrad.load(BOTH_WAYS % question).solve()["q"]
    assert (answer.message, answer.results[0].latex) == ("", expected)


def test_one_step_of_a_state_that_reads_all_its_past() -> None:
    """h_t = tanh(Σ_{s<t} W h_s + x_t): by the state just before it, with the others held, D_t W and nothing else."""
    text = """
title: All the past
symbols: {"x[t]": {shape: n}, "h[0]": {shape: n}, W: {shape: [n, n]}}
steps: {t: 1..T}
model: ["h[t] = tanh(sum(W @ h[s], s=0..t-1) + x[t])"]
questions: [{id: q, ask: derivative, of: "h[t]", wrt: "h[t-1]"}]
"""
    answer = symgrad.load(text).solve()["q"]
    assert (answer.message, answer.results[0].latex) == ("", "D_t W")
