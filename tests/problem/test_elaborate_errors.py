"""Everything wrong with a problem, said at once: whole problems, whole outputs."""

from __future__ import annotations

import pytest

from symgrad.errors import ProblemError
from symgrad.problem.elaborate import load_problem

GIVEN = """symbols: {x: {shape: n}, y: {shape: m}, W: {shape: [n, m]}, 'I[t]': {shape: n}, 'h[0]': {shape: n}, c: {}}
steps: {t: 1..3}
model:
"""

CASES = {
    "names that are not known, each with the near one": (
        GIVEN
        + r"""  - a = Wx @ y + yy
  - b = tanhh(x)
  - e = a + 1
questions:
  - {id: q, ask: derivative, of: LL, wrt: [W, ww]}
""",
        r"""<problem>:4:9: 'Wx' is neither declared nor defined
      - a = Wx @ y + yy
            ^^
    did you mean 'x'?
<problem>:4:18: 'yy' is neither declared nor defined
      - a = Wx @ y + yy
                     ^^
    did you mean 'y'?
<problem>:5:9: there is no function 'tanhh'
      - b = tanhh(x)
            ^^^^^
    did you mean 'tanh'?
<problem>:8:34: 'LL' is neither declared nor defined
      - {id: q, ask: derivative, of: LL, wrt: [W, ww]}
                                     ^^
<problem>:8:47: 'ww' is neither declared nor defined
      - {id: q, ask: derivative, of: LL, wrt: [W, ww]}
                                                  ^^""",
    ),
    "one namespace": (
        r"""symbols:
  W: {shape: [W, n]}
  n: {shape: m}
  a[t]: {shape: d}
  t: {}
  f: {}
steps: {t: 1..3}
model:
  - d = 2
  - f(u) = u
  - b = sum(m, n=1..3)
""",
        r"""<problem>:2:15: 'W' is a size here and a symbol in line 2
      W: {shape: [W, n]}
                  ^
<problem>:2:18: 'n' is a size here and a symbol in line 3
      W: {shape: [W, n]}
                     ^
<problem>:4:17: 'd' is a size here and a quantity in line 9
      a[t]: {shape: d}
                    ^
<problem>:5:3: 't' is a symbol here and a step in line 7
      t: {}
      ^
<problem>:10:5: 'f' is a function here and a symbol in line 6
      - f(u) = u
        ^^^^
<problem>:11:16: 'n' is an index here and a symbol in line 3
      - b = sum(m, n=1..3)
                   ^""",
    ),
    "shapes that do not fit": (
        GIVEN
        + r"""  - a = W @ x
  - b = x + y
  - e = softmax(W)
  - f = x.T + x
  - g = x @ x
  - k = reshape(x, n, 2)
  - l = det(W)
  - o = grad(W, x)
  - p = concat(x, c)
""",
        r"""<problem>:4:9: product @: n × m times a vector of size n does not fit
      - a = W @ x
            ^^^^^
<problem>:5:9: sum: a vector of size n does not fit a vector of size m
      - b = x + y
            ^^^^^
<problem>:6:9: softmax of n × m needs an axis: axis=1 normalises every row, axis=0 every column
      - e = softmax(W)
            ^^^^^^^^^^
<problem>:7:9: sum: a row of size n with a vector of size n; transpose one of them
      - f = x.T + x
            ^^^^^^^
<problem>:8:9: product @: a vector of size n times a vector of size n does not fit; write a @ b.T for the outer product, a.T @ b for the inner one
      - g = x @ x
            ^^^^^
<problem>:9:9: reshape: a vector of size n has n entries, n × 2 has 2*n
      - k = reshape(x, n, 2)
            ^^^^^^^^^^^^^^^^
<problem>:10:9: det takes a square matrix, not n × m
      - l = det(W)
            ^^^^^^
<problem>:11:14: grad is of a scalar; write jacobian(y, x)
      - o = grad(W, x)
                 ^
<problem>:12:9: concat joins vectors or tensors, not scalars; use stack
      - p = concat(x, c)
            ^^^^^^^^^^^^""",
    ),
    "subscripts": (
        GIVEN
        + r"""  - a = x[1, 2]
  - b = x[0]
  - e = W[n+1, 1]
  - f = c[1]
  - g = h
  - k = I[4]
  - l = I[1..2]
  - o = x[1/2]
  - p = x[y]
  - q = x[2..1]
  - r = I[2][n+1]
""",
        r"""<problem>:4:9: a vector of size n has 1 axis, but 2 subscripts stand here
      - a = x[1, 2]
            ^^^^^^^
<problem>:5:11: the index 0 is outside 1..n
      - b = x[0]
              ^
<problem>:6:11: the index n + 1 is outside 1..n
      - e = W[n+1, 1]
              ^^^
<problem>:7:9: a scalar has no entries
      - f = c[1]
            ^^^^
<problem>:8:9: 'h' is a family; say which member, such as h[0]
      - g = h
            ^
<problem>:9:9: I[4] is outside the range t = 1..3
      - k = I[4]
            ^^^^
<problem>:10:11: 'I' is a family; for several of its members write stack or concat over a range
      - l = I[1..2]
              ^^^^
<problem>:11:11: an index must be an integer, not 1/2
      - o = x[1/2]
              ^^^
<problem>:12:11: an index must be an integer, not a vector of size m
      - p = x[y]
              ^
<problem>:13:11: the range 2..1 is empty
      - q = x[2..1]
              ^^^^
<problem>:14:14: the index n + 1 is outside 1..n
      - r = I[2][n+1]
                 ^^^""",
    ),
    "arguments": (
        GIVEN
        + r"""  - a = tanh(x, x)
  - b = norm()
  - e = norm(x, od=2)
  - f = sum(x, i, j)
  - g = concat()
  - k = indicator(x)
  - l = sum(x, axis=0, i=1..2)
  - o = sum(i=1..2)
  - p = x(3)
  - q = det(W, 1)
  - r = grad(c)
  - s = exp(x, i=1..2)
""",
        r"""<problem>:4:9: tanh takes 1 argument, not 2
      - a = tanh(x, x)
            ^^^^^^^^^^
<problem>:5:9: norm takes 1 argument and ord, axis, not 0
      - b = norm()
            ^^^^^^
<problem>:6:17: norm has no setting 'od'; it has ord, axis
      - e = norm(x, od=2)
                    ^^
    did you mean 'ord'?
<problem>:7:16: 'i' is neither declared nor defined
      - f = sum(x, i, j)
                   ^
    did you mean 'I'?
<problem>:7:19: 'j' is neither declared nor defined
      - f = sum(x, i, j)
                      ^
<problem>:8:9: concat needs at least one argument
      - g = concat()
            ^^^^^^^^
<problem>:9:9: indicator takes one condition, such as x > 0
      - k = indicator(x)
            ^^^^^^^^^^^^
<problem>:10:9: an axis and a range do not go together
      - l = sum(x, axis=0, i=1..2)
            ^^^^^^^^^^^^^^^^^^^^^^
<problem>:11:9: sum needs an expression before its ranges
      - o = sum(i=1..2)
            ^^^^^^^^^^^
<problem>:12:9: 'x' is not a function; for a product write * or @, for a member or an entry x[...]
      - p = x(3)
            ^
<problem>:13:9: det takes 1 argument, not 2
      - q = det(W, 1)
            ^^^^^^^^^
<problem>:14:9: grad takes what is differentiated, and by what
      - r = grad(c)
            ^^^^^^^
<problem>:15:16: exp takes no range
      - s = exp(x, i=1..2)
                   ^^^^^^""",
    ),
    "what has no meaning in an expression": (
        GIVEN
        + r"""  - a = [1, 2]
  - b = loss(x) * 2
  - e = q.at
  - f = 1/0
  - g = 10**10**10
  - k = 0**-1
  - l = sum(x[i], x=1..3)
  - r = sum(c, i=1..10**18)
""",
        r"""<problem>:4:9: a list cannot stand in an expression; write stack(a, b) for a tensor of its parts
      - a = [1, 2]
            ^^^^^^
<problem>:5:9: loss(...) stands alone on the right side of a definition
      - b = loss(x) * 2
            ^^^^^^^
<problem>:6:9: q.at is the result of a question, and stands only in questions
      - e = q.at
            ^^^^
<problem>:7:9: division by zero
      - f = 1/0
            ^^^
<problem>:8:9: this number is too large to be meant
      - g = 10**10**10
            ^^^^^^^^^^
<problem>:9:9: division by zero
      - k = 0**-1
            ^^^^^
<problem>:10:15: 'i' is neither declared nor defined
      - l = sum(x[i], x=1..3)
                  ^
    did you mean 'I'?
<problem>:11:21: this number is too large to be a size or a step
      - r = sum(c, i=1..10**18)
                        ^^^^^^""",
    ),
    "layers and expectations of what they do not take": (
        GIVEN
        + r"""  - a = conv2d(x, y)
  - b = E(c)
  - e = KL(x, y)
""",
        r"""<problem>:4:9: conv2d takes an input [height, width] or [channels, height, width], not a vector of size n
      - a = conv2d(x, y)
            ^^^^^^^^^^^^
<problem>:5:9: E takes an expression and a distribution: E(f(z), z ~ q)
      - b = E(c)
            ^^^^
<problem>:6:9: KL takes two densities of one variable, KL(q(z), p(z | x))
      - e = KL(x, y)
            ^^^^^^^^""",
    ),
    "definitions that contradict": (
        r"""symbols:
  y: {shape: n}
  x: {shape: m}
  z: 3
model:
  - y = x + 1
  - z = 2
  - a = x
  - a = x
  - q(u) = u
  - q(u) = 2*u
  - x[i] = 2, i=1..m
""",
        r"""<problem>:4:3: z is given here and defined in the model
      z: 3
      ^
<problem>:6:5: y is a vector of size m here, but is declared as a vector of size n in line 2
      - y = x + 1
        ^
<problem>:9:5: a is defined twice; the first time in line 8
      - a = x
        ^
<problem>:11:5: 'q' is defined twice; the first time in line 10
      - q(u) = 2*u
        ^^^^""",
    ),
    "a recurrence that does not keep its shape": (
        r"""symbols: {W: {shape: [n, m]}, 'h[0]': {shape: m}}
steps: {t: 1..3}
model:
  - h[t] = W @ h[t-1]
""",
        r"""<problem>:4:16: h[0] is a vector of size m (line 1), but h[t] is a vector of size n (line 4), and it may be either
      - h[t] = W @ h[t-1]
                   ^^^^^^""",
    ),
    "a boundary that is missing": (
        r"""symbols: {W: {shape: [n, n]}}
steps: {t: 1..3}
model:
  - f[t] = W @ sum(h[t-1])
  - h[t] = f[t] * c[t]
  - c[t] = c[t-1] * 2
  - L = sum(h[t], t=1..3)
""",
        r"""<problem>:6:5: the shape of 'c' does not follow; c[0] needs a declaration
      - c[t] = c[t-1] * 2
        ^^^^""",
    ),
    "circles": (
        r"""symbols: {x: {shape: n}, 'h[0]': {shape: n}}
steps: {t: 1..3}
model:
  - a = b + x
  - b = 2 * a
  - c = a + 1
  - d = d + x
  - h[t] = x + h[t]
""",
        r"""<problem>:4:5: 'a' is defined by a → b → a
      - a = b + x
        ^
<problem>:7:5: 'd' is defined by itself
      - d = d + x
        ^
<problem>:8:5: h[t] is defined by itself
      - h[t] = x + h[t]
        ^^^^""",
    ),
    "members outside their range": (
        GIVEN
        + r"""  - h[t] = h[t-1] + I[t-1]
  - e[t] = sum(h[t])
  - L = e[4] + e[0]
  - K = sum(e[t], t=1..4)
questions:
  - {id: q, ask: derivative, of: 'e[5]', wrt: 'h[-1]'}
""",
        r"""<problem>:4:5: h[t] needs I[0], which is not declared
      - h[t] = h[t-1] + I[t-1]
        ^^^^
<problem>:6:9: e[4] is outside the range t = 1..3
      - L = e[4] + e[0]
            ^^^^
<problem>:7:5: K needs e[4], which is not declared
      - K = sum(e[t], t=1..4)
        ^
<problem>:9:35: e[5] is outside the range t = 1..3
      - {id: q, ask: derivative, of: 'e[5]', wrt: 'h[-1]'}
                                      ^^^^
<problem>:9:48: h[-1] is neither h[0] nor in the range t = 1..3
      - {id: q, ask: derivative, of: 'e[5]', wrt: 'h[-1]'}
                                                   ^^^^^""",
    ),
    "a whole family where a member is needed": (
        GIVEN
        + r"""  - a = I + x
  - h[t] = x
  - h = x
""",
        r"""<problem>:4:9: 'I' is a family; say which member, such as I[t]
      - a = I + x
            ^
<problem>:6:5: 'h' has no subscripts here and 1 subscript in line 1
      - h = x
        ^""",
    ),
    "components": (
        GIVEN
        + r"""  - a[r] = x[r-1]
  - b[r] = 2
  - e[r] = x[r**2]
  - f[r] = x[r], r=2..n
  - g[i, i] = W[i, i]
  - k[r] = x[s1*r]
""",
        r"""<problem>:4:7: 'r' could only begin at 2, but components begin at 1
      - a[r] = x[r-1]
          ^
<problem>:5:7: nothing bounds 'r'; state its range, r=1..n, or declare it under steps
      - b[r] = 2
          ^
<problem>:6:7: the range of 'r' cannot be found; state it, r=1..n
      - e[r] = x[r**2]
          ^
<problem>:7:5: components begin at 1, so the range of 'r' must begin there
      - f[r] = x[r], r=2..n
        ^^^^
<problem>:8:5: an index of the left side stands there twice
      - g[i, i] = W[i, i]
        ^^^^^^^""",
    ),
    "given numbers": (
        r"""symbols:
  a: {values: [[1, 2], [3]]}
  b: {shape: n, values: [1, 2]}
  c[t]: {values: [1, 2]}
  d: {values: [x]}
  e: {shape: [0]}
  f: {shape: n/0}
steps: {t: 1..3, s: 3..1}
""",
        r"""<problem>:2:15: the rows differ in length
      a: {values: [[1, 2], [3]]}
                  ^^^^^^^^^^^^^
<problem>:3:25: b is a vector of size n, but the numbers are a vector of size 2
      b: {shape: n, values: [1, 2]}
                            ^^^^^^
<problem>:4:18: c[t] has 3 members, but 2 are given
      c[t]: {values: [1, 2]}
                     ^^^^^^
<problem>:5:16: 'x' is neither declared nor defined
      d: {values: [x]}
                   ^
<problem>:6:15: a size is a positive integer, not 0
      e: {shape: [0]}
                  ^
<problem>:7:14: an integer is needed here: a number, a size, a step, or arithmetic on them
      f: {shape: n/0}
                 ^^^
<problem>:8:21: the range 3..1 is empty
    steps: {t: 1..3, s: 3..1}
                        ^^^^""",
    ),
    "functions of the problem": (
        GIVEN
        + r"""  - f(u) = u + v
  - g(u) = W @ u
  - k(u) = k(u)
  - l(u, u) = u
  - a = g(x)
  - b = k(x)
  - e = g(x, y)
  - o = f(x)
  - p = g
  - q = g(x, axis=1)
""",
        r"""<problem>:4:16: 'v' is neither declared nor defined
      - f(u) = u + v
                   ^
<problem>:7:5: 'l' has two arguments of one name
      - l(u, u) = u
        ^^^^^^^
<problem>:8:9: product @: n × m times a vector of size n does not fit (in g)
      - a = g(x)
            ^^^^
<problem>:9:9: 'k' is defined by itself (in k)
      - b = k(x)
            ^^^^
<problem>:10:9: g(u) takes 1 argument, not 2
      - e = g(x, y)
            ^^^^^^^
<problem>:12:9: 'g' is a function; give it arguments
      - p = g
            ^
<problem>:13:14: g has no setting 'axis'; a range is written axis=lo..hi
      - q = g(x, axis=1)
                 ^^^^""",
    ),
    "questions": (
        GIVEN
        + r"""  - L = sum(x)
questions:
  - {id: a, ask: derivative, of: L, wrt: [2*x, I]}
  - {id: b, ask: evaluate, of: L, at: {zz: 1, x: [1, [2]]}}
  - {id: e, ask: identity, left: a.value, right: f.value}
  - {id: g, ask: solve, for: n, where: n}
  - {id: k, ask: derivative, of: L, wrt: x, where: s < t}
""",
        r"""<problem>:6:43: 'wrt' names a symbol, a quantity of the model, or an entry of one
      - {id: a, ask: derivative, of: L, wrt: [2*x, I]}
                                              ^^^
<problem>:6:48: 'I' is a family; say which member, such as I[t]
      - {id: a, ask: derivative, of: L, wrt: [2*x, I]}
                                                   ^
<problem>:7:40: 'zz' is neither declared nor defined
      - {id: b, ask: evaluate, of: L, at: {zz: 1, x: [1, [2]]}}
                                           ^^
<problem>:8:50: there is no question 'f'
      - {id: e, ask: identity, left: a.value, right: f.value}
                                                     ^
<problem>:9:40: a condition is needed here, such as j != c
      - {id: g, ask: solve, for: n, where: n}
                                           ^
<problem>:10:52: 's' is neither declared nor defined
      - {id: k, ask: derivative, of: L, wrt: x, where: s < t}
                                                       ^""",
    ),
    "form and meaning, and nothing twice": (
        r"""symbols:
  x: {shpae: n}
  W: {shape: [m, n, 0.5]}
  y: {shape: m}
steps: {t: 3}
model:
  - a = tanh(V @ y)
  - b = sum(a^2)
  - e: exp(y)
  - f = "g"
  - z = x + W + b + e + f + y[t]
questions:
  - {id: p, ask: deriv, of: z, wrt: q}
  - {id: q, ask: derivative, of: yy, wrt: y, order: 3}
  - {id: r, ask: derivative, of: yy, wrt: y}
""",
        r"""<problem>:2:7: a symbol has no field 'shpae'
      x: {shpae: n}
          ^^^^^
    did you mean 'shape'?
<problem>:3:21: an integer is needed here, not 1/2
      W: {shape: [m, n, 0.5]}
                        ^^^
<problem>:5:12: a range is needed here, such as 1..3
    steps: {t: 3}
               ^
<problem>:7:14: 'V' is neither declared nor defined
      - a = tanh(V @ y)
                 ^
<problem>:8:14: '^' cannot be read: use ** for powers
      - b = sum(a^2)
                 ^
<problem>:9:5: a definition, name = expression, is needed here; quote a text that holds ': '
      - e: exp(y)
        ^^^^^^^^^
<problem>:10:9: '"' cannot be read: there are no strings in expressions
      - f = "g"
            ^
<problem>:13:18: there is no question of kind 'deriv'
      - {id: p, ask: deriv, of: z, wrt: q}
                     ^^^^^
    did you mean 'derivative'?
<problem>:14:53: an order, 1 or 2, is needed here
      - {id: q, ask: derivative, of: yy, wrt: y, order: 3}
                                                        ^
<problem>:15:34: 'yy' is neither declared nor defined
      - {id: r, ask: derivative, of: yy, wrt: y}
                                     ^^
    did you mean 'y'?""",
    ),
    "facts of what they cannot be said of, or that numbers deny": (
        r"""symbols:
  a: {shape: n, is: symmetric}
  b: {is: one-hot}
  c: {shape: [n, m], is: [positive, invertible]}
  d: {shape: 3, is: one-hot, values: [0, 1, 1]}
  e: {is: probability, values: 3/2}
  f: {shape: 2, is: probability, values: [1/3, 2/3]}
  g: {shape: [2, 2], is: orthogonal, values: [[3/5, 4/5], [-4/5, 3/5]]}
  h: {shape: [2, 2], is: positive-definite, values: [[1, 2], [2, 1]]}
  i: {shape: [2, 2], is: symmetric, values: [[1, 2], [2, 1]]}
  k: {is: index, values: 1/2}
  l: {shape: 1, is: probability, values: [1]}
""",
        r"""<problem>:2:21: symmetric is said of a square matrix; a is a vector of size n
      a: {shape: n, is: symmetric}
                        ^^^^^^^^^
<problem>:3:11: one-hot is said of a vector, or a matrix by its rows; b is a scalar
      b: {is: one-hot}
              ^^^^^^^
<problem>:4:37: invertible is said of a square matrix; c is n × m
      c: {shape: [n, m], is: [positive, invertible]}
                                        ^^^^^^^^^^
<problem>:5:38: d is said to be one-hot, but these numbers are not
      d: {shape: 3, is: one-hot, values: [0, 1, 1]}
                                         ^^^^^^^^^
<problem>:6:32: e is said to be probability, but these numbers are not
      e: {is: probability, values: 3/2}
                                   ^^^
<problem>:9:53: h is said to be positive-definite, but these numbers are not
      h: {shape: [2, 2], is: positive-definite, values: [[1, 2], [2, 1]]}
                                                        ^^^^^^^^^^^^^^^^
<problem>:11:26: k is said to be index, but these numbers are not
      k: {is: index, values: 1/2}
                             ^^^""",
    ),
    "a circle within a step, a member defined twice, an index that is none": (
        r"""symbols: {x: {shape: n}, i: {}, "y[t]": {shape: n}}
steps: {t: 1..5}
model:
  - a[t] = b[t] + y[t]
  - b[t] = 2 * a[t]
  - s[t] = 2 * x, t=1..3
  - s[t] = x, t=3..5
  - f = x[i]
""",
        r"""<problem>:4:5: 'a' is defined by a → b → a at the same step
      - a[t] = b[t] + y[t]
        ^^^^
<problem>:7:5: s[3] is defined twice; the first time in line 6
      - s[t] = x, t=3..5
        ^^^^
<problem>:8:11: i picks an entry here; say that it is one, {is: index}
      - f = x[i]
              ^""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_everything_wrong_is_said_at_once(name: str) -> None:
    yaml, expected = CASES[name]
    with pytest.raises(ProblemError) as caught:
        load_problem(yaml)
    assert str(caught.value) == expected
