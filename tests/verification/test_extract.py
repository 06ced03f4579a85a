"""Formulas as two real answers write them, with what each states; documents of every kind."""

# The formulas are quoted as they were written.
from __future__ import annotations

import json
from pathlib import Path

import pytest

from symgrad.errors import AnswerError
from symgrad.syntax.latex.notation import Vocabulary
from symgrad.syntax.tree import sexp
from symgrad.verification.documents.claims import Document
from symgrad.verification.documents.extract import read_document, read_formula

BPTT = Vocabulary.of(
    {**dict.fromkeys(("I", "y", "h", "z", "yhat", "E"), 1), **dict.fromkeys(("U", "W", "V"), 0)},
    {**dict.fromkeys(("I", "y", "h", "z", "yhat"), 1), "E": 0, "U": 2, "W": 2, "V": 2},
    ["t", "d", "m", "n"],
)
_GATES = [f"{a}__{b}" for a in "WU" for b in "ifoc"]
LSTM = Vocabulary.of(
    {**dict.fromkeys("xhcifou", 1), **dict.fromkeys(_GATES, 0), "s": 0, "g": 0, "L": 0},
    {**dict.fromkeys("xhcifou", 1), **dict.fromkeys(_GATES, 2), "s": 0, "g": 0, "L": 0},
    ["t", "T", "d", "n"],
)

# fmt: off
BPTT_LINES = [
    (
        r"""$$h_t = \tanh[UI_t + Wh_{t-1}]$$

$$\hat{y_t} = softmax(Vh_t)$$""",
        [
            (1, "equation", "=", None, "([] h t)", "(tanh (+ (implicit U ([] I t)) (implicit W ([] h (- t 1)))))"),
            (3, "equation", "=", None, "([] yhat t)", "(softmax (implicit V ([] h t)))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E_t}{\partial h_t} = \frac{\partial E_t}{\partial \hat{y}_t} * \frac{\partial \hat{y}_t}{\partial z_t} * \frac{\partial z_t}{\partial h_t}
= (\hat{y}_t - y_t)V$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E t) ([] h t))", "(* (* (jacobian ([] E t) ([] yhat t)) (jacobian ([] yhat t) ([] z t))) (jacobian ([] z t) ([] h t)))"),
            (2, "equation", "=", 0, "(jacobian ([] E t) ([] h t))", "(implicit (- ([] yhat t) ([] y t)) V)"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial h_t}{\partial h_{t-1}} = \frac{\partial}{\partial h_{t-1}} \tanh[UI_t + Wh_{t-1}]$$

$$= \{1 - \tanh^2[UI_t + Wh_{t-1}]\}W$$

$$= [1 - h_t^2]W$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] h t) ([] h (- t 1)))", "(jacobian (tanh (+ (implicit U ([] I t)) (implicit W ([] h (- t 1))))) ([] h (- t 1)))"),
            (3, "equation", "=", 0, "(jacobian ([] h t) ([] h (- t 1)))", "(implicit (- 1 (^ (tanh (+ (implicit U ([] I t)) (implicit W ([] h (- t 1))))) 2)) W)"),
            (5, "equation", "=", 1, "(jacobian ([] h t) ([] h (- t 1)))", "(implicit (- 1 (^ ([] h t) 2)) W)"),
        ],
        [
        ],
    ),
    (
        r"""$$\begin{split} \frac{\partial E_1}{\partial W} &= \frac{\partial E_1}{\partial h_1} * \frac{\partial h_1}{\partial W} \\ &= (\hat{y_1} - y_1) * V * (1 - h_1^2) * h_0 \end{split}$$

$$\frac{\partial E_1}{\partial U} = \frac{\partial E_1}{\partial h_1} * \frac{\partial h_1}{\partial U}$$
$$= (\hat{y_1} - y_1) * V * (1 - h_1^2) * I_1$$

$$\frac{\partial E_1}{\partial V} = \frac{\partial E_1}{\partial z_1} * \frac{\partial z_1}{\partial V}$$
$$= (\hat{y_1} - y_1) * h_1$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E 1) W)", "(* (jacobian ([] E 1) ([] h 1)) (jacobian ([] h 1) W))"),
            (1, "equation", "=", 0, "(jacobian ([] E 1) W)", "(* (* (* (- ([] yhat 1) ([] y 1)) V) (- 1 (^ ([] h 1) 2))) ([] h 0))"),
            (3, "equation", "=", None, "(jacobian ([] E 1) U)", "(* (jacobian ([] E 1) ([] h 1)) (jacobian ([] h 1) U))"),
            (4, "equation", "=", 2, "(jacobian ([] E 1) U)", "(* (* (* (- ([] yhat 1) ([] y 1)) V) (- 1 (^ ([] h 1) 2))) ([] I 1))"),
            (6, "equation", "=", None, "(jacobian ([] E 1) V)", "(* (jacobian ([] E 1) ([] z 1)) (jacobian ([] z 1) V))"),
            (7, "equation", "=", 4, "(jacobian ([] E 1) V)", "(* (- ([] yhat 1) ([] y 1)) ([] h 1))"),
        ],
        [
        ],
    ),
    (
        r"""$\frac{\partial E_2}{\partial W} = \frac{\partial E_2}{\partial h_2} \sum_{k=1}^{2} \left[ \frac{\partial h_2}{\partial h_k} * \frac{\partial h_k}{\partial W} \right]$  $= (\hat{y}_2 - y_2) * V * \left\{ \frac{\partial h_2}{\partial W} + \left[ \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1}{\partial W} \right] \right\}$  $= (\hat{y}_2 - y_2) * V * \left[ (1 - h_2^2)h_1 \right] + \left[ (1 - h_2^2)W(1 - h_1^2)h_0 \right]$  $= (\hat{y}_2 - y_2) * V * (1 - h_2^2) * \left\{ h_1 + W(1 - h_1^2)h_0 \right\}$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E 2) W)", "(implicit (jacobian ([] E 2) ([] h 2)) (sum (* (jacobian ([] h 2) ([] h k)) (jacobian ([] h k) W)) k=(.. 1 2)))"),
            (1, "equation", "=", 0, "(jacobian ([] E 2) W)", "(* (* (- ([] yhat 2) ([] y 2)) V) (+ (jacobian ([] h 2) W) (* (jacobian ([] h 2) ([] h 1)) (jacobian ([] h 1) W))))"),
            (1, "equation", "=", 1, "(jacobian ([] E 2) W)", "(+ (* (* (- ([] yhat 2) ([] y 2)) V) (implicit (- 1 (^ ([] h 2) 2)) ([] h 1))) (implicit (implicit (implicit (- 1 (^ ([] h 2) 2)) W) (- 1 (^ ([] h 1) 2))) ([] h 0)))"),
            (1, "equation", "=", 2, "(jacobian ([] E 2) W)", "(* (* (* (- ([] yhat 2) ([] y 2)) V) (- 1 (^ ([] h 2) 2))) (+ ([] h 1) (implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] h 0))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E_2}{\partial U} = \frac{\partial E_2}{\partial h_2} \sum_{k=1}^{2} \left[ \frac{\partial h_2}{\partial h_k} * \frac{\partial h_k}{\partial U} \right]
= (\hat{y}_2 - y_2) * V * \left\{ \frac{\partial h_2}{\partial U} + \left[ \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1}{\partial U} \right] \right\}
= (\hat{y}_2 - y_2) * V * \left\{ \left[ (1 - h_2^2)I_2 \right] + \left[ (1 - h_2^2)W(1 - h_1^2)I_1 \right] \right\}
= (\hat{y}_2 - y_2) * V * (1 - h_2^2) * \left\{ I_2 + W(1 - h_1^2)I_1 \right\}$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E 2) U)", "(implicit (jacobian ([] E 2) ([] h 2)) (sum (* (jacobian ([] h 2) ([] h k)) (jacobian ([] h k) U)) k=(.. 1 2)))"),
            (2, "equation", "=", 0, "(jacobian ([] E 2) U)", "(* (* (- ([] yhat 2) ([] y 2)) V) (+ (jacobian ([] h 2) U) (* (jacobian ([] h 2) ([] h 1)) (jacobian ([] h 1) U))))"),
            (3, "equation", "=", 1, "(jacobian ([] E 2) U)", "(* (* (- ([] yhat 2) ([] y 2)) V) (+ (implicit (- 1 (^ ([] h 2) 2)) ([] I 2)) (implicit (implicit (implicit (- 1 (^ ([] h 2) 2)) W) (- 1 (^ ([] h 1) 2))) ([] I 1))))"),
            (4, "equation", "=", 2, "(jacobian ([] E 2) U)", "(* (* (* (- ([] yhat 2) ([] y 2)) V) (- 1 (^ ([] h 2) 2))) (+ ([] I 2) (implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] I 1))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E_3}{\partial W} = \frac{\partial E_3}{\partial h_3} \sum_{k=1}^{3} \left[ \frac{\partial h_3}{\partial h_k} * \frac{\partial h_k}{\partial W} \right]
= (\hat{y}_3 - y_3) * V * \left\{ \frac{\partial h_3}{\partial W} + \left[ \frac{\partial h_3}{\partial h_2} * \frac{\partial h_2}{\partial W} \right] + \left[ \frac{\partial h_3}{\partial h_2} * \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1}{\partial W} \right] \right\}
= (\hat{y}_3 - y_3) * V * \left\{ \left[ (1 - h_3^2)h_2 \right] + \left[ (1 - h_3^2)W(1 - h_2^2)h_1 \right] + \left[ (1 - h_3^2)W(1 - h_2^2)W(1 - h_1^2)h_0 \right] \right\}
= (\hat{y}_3 - y_3) * V * (1 - h_3^2) * \left[ h_2 + W(1 - h_2^2) \left\{ h_1 + W(1 - h_1^2)h_0 \right\} \right]$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E 3) W)", "(implicit (jacobian ([] E 3) ([] h 3)) (sum (* (jacobian ([] h 3) ([] h k)) (jacobian ([] h k) W)) k=(.. 1 3)))"),
            (2, "equation", "=", 0, "(jacobian ([] E 3) W)", "(* (* (- ([] yhat 3) ([] y 3)) V) (+ (+ (jacobian ([] h 3) W) (* (jacobian ([] h 3) ([] h 2)) (jacobian ([] h 2) W))) (* (* (jacobian ([] h 3) ([] h 2)) (jacobian ([] h 2) ([] h 1))) (jacobian ([] h 1) W))))"),
            (3, "equation", "=", 1, "(jacobian ([] E 3) W)", "(* (* (- ([] yhat 3) ([] y 3)) V) (+ (+ (implicit (- 1 (^ ([] h 3) 2)) ([] h 2)) (implicit (implicit (implicit (- 1 (^ ([] h 3) 2)) W) (- 1 (^ ([] h 2) 2))) ([] h 1))) (implicit (implicit (implicit (implicit (implicit (- 1 (^ ([] h 3) 2)) W) (- 1 (^ ([] h 2) 2))) W) (- 1 (^ ([] h 1) 2))) ([] h 0))))"),
            (4, "equation", "=", 2, "(jacobian ([] E 3) W)", "(* (* (* (- ([] yhat 3) ([] y 3)) V) (- 1 (^ ([] h 3) 2))) (+ ([] h 2) (implicit (implicit W (- 1 (^ ([] h 2) 2))) (+ ([] h 1) (implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] h 0))))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E_3}{\partial V} = \frac{\partial E_3}{\partial z_3} * \frac{\partial z_3}{\partial V}
= (\hat{y}_3 - y_3) * h_3$$""",
        [
            (1, "equation", "=", None, "(jacobian ([] E 3) V)", "(* (jacobian ([] E 3) ([] z 3)) (jacobian ([] z 3) V))"),
            (2, "equation", "=", 0, "(jacobian ([] E 3) V)", "(* (- ([] yhat 3) ([] y 3)) ([] h 3))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E}{\partial W} = \sum_{k=1}^{3} \frac{\partial E_k}{\partial W}
= (\hat{y}_1 - y_1) * V * (1 - h_1^2) * h_0 + (\hat{y}_2 - y_2) * V * (1 - h_2^2) * \{h_1 + W(1 - h_1^2)h_0\}
+ (\hat{y}_3 - y_3) * V * (1 - h_3^2) * [h_2 + W(1 - h_2^2)\{h_1 + W(1 - h_1^2)h_0\}]$$""",
        [
            (1, "equation", "=", None, "(jacobian E W)", "(sum (jacobian ([] E k) W) k=(.. 1 3))"),
            (2, "equation", "=", 0, "(jacobian E W)", "(+ (+ (* (* (* (- ([] yhat 1) ([] y 1)) V) (- 1 (^ ([] h 1) 2))) ([] h 0)) (* (* (* (- ([] yhat 2) ([] y 2)) V) (- 1 (^ ([] h 2) 2))) (+ ([] h 1) (implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] h 0))))) (* (* (* (- ([] yhat 3) ([] y 3)) V) (- 1 (^ ([] h 3) 2))) (+ ([] h 2) (implicit (implicit W (- 1 (^ ([] h 2) 2))) (+ ([] h 1) (implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] h 0)))))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E}{\partial V} = \sum_{k=1}^{3} \frac{\partial E_k}{\partial V}
= (\hat{y}_1 - y_1) * h_1 + (\hat{y}_2 - y_2) * h_2 + (\hat{y}_3 - y_3) * h_3$$""",
        [
            (1, "equation", "=", None, "(jacobian E V)", "(sum (jacobian ([] E k) V) k=(.. 1 3))"),
            (2, "equation", "=", 0, "(jacobian E V)", "(+ (+ (* (- ([] yhat 1) ([] y 1)) ([] h 1)) (* (- ([] yhat 2) ([] y 2)) ([] h 2))) (* (- ([] yhat 3) ([] y 3)) ([] h 3)))"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial E_3}{\partial W} = \sum_{k=0}^{3} \frac{\partial E_3}{\partial \hat{y}_3} \frac{\partial \hat{y}_3}{\partial h_3} \left( \prod_{j=k+1}^{3} \frac{\partial h_j}{h_{j-1}} \right) \frac{\partial h_k}{\partial W}$$""",
        [
        ],
        [
            (1, 'a ∂ is missing below the line', [('a lost ∂ below the line is put back', '(jacobian ([] E 3) W)', '(sum (implicit (implicit (implicit (jacobian ([] E 3) ([] yhat 3)) (jacobian ([] yhat 3) ([] h 3))) (prod (jacobian ([] h j) ([] h (- j 1))) j=(.. (+ k 1) 3))) (jacobian ([] h k) W)) k=(.. 0 3))')]),
        ],
    ),
    (
        r"""$$AP = \frac{1}{11} \sum_{r \in \{0, 0.1, \dots, 1\}} p_{interp}(r)$$
(9)

where,

$$p_{interp}(r) = \max_{\tilde{r}:\tilde{r} \ge r} p(\tilde{r}) \tag{10}$$""",
        [
            (1, "definition", "=", None, "AP", "(implicit (/ 1 11) (sum (p_interp r) r=(list 0 1/10 1/5 3/10 2/5 1/2 3/5 7/10 4/5 9/10 1)))"),
            (6, "definition", "=", None, "(p_interp r)", "(max (p rtilde) (rtilde >= r) rtilde=:)"),
        ],
        [
        ],
    ),
    (
        r"""$$AP = \frac{1}{11}[1+1+1+1+1+\frac{4}{7}+\frac{4}{7}+\frac{4}{7}+\frac{4}{7}+\frac{1}{2}+\frac{1}{2}]$$

$$= \frac{58}{77}$$

$$= 0.753$$""",
        [
            (1, "definition", "=", None, "AP", "(implicit (/ 1 11) (+ (+ (+ (+ (+ (+ (+ (+ (+ (+ 1 1) 1) 1) 1) (/ 4 7)) (/ 4 7)) (/ 4 7)) (/ 4 7)) (/ 1 2)) (/ 1 2)))"),
            (3, "equation", "=", 0, "AP", "(/ 58 77)"),
            (5, "equation", "=", 1, "AP", "753/1000"),
        ],
        [
        ],
    ),
    (
        r"""$$FL = -(1 - p_t)^{\gamma} \log(p_t)$$

$$= -\log(p_t)$$

$$= CE$$""",
        [
            (1, "definition", "=", None, "FL", "(implicit (-. (^ (- 1 ([] p t)) gamma)) (log ([] p t)))"),
            (3, "equation", "=", 0, "FL", "(-. (log ([] p t)))"),
            (5, "equation", "=", 1, "FL", "CE"),
        ],
        [
        ],
    ),
    (
        r"""- The output shape of transpose convolution is given by  $out\_size = in\_size * stride stride + kernel\_size 2 * padding$ .
- As the input size is  $3 \times 3$  and filter shape is  $7 \times 7$ , the output size will become 3 \* 1 1 + 7 0 = 9. Hence the output size is  $9 \times 9$""",
        [
            (2, "value", "", None, None, "(× 3 3)"),
            (2, "value", "", None, None, "(× 7 7)"),
            (2, "value", "", None, None, "(× 9 9)"),
        ],
        [
            (1, "an operator is missing between 'stride' and 'stride'", [('a lost minus sign is put back', 'out_size', '(- (+ (- (* in_size stride) stride) kernel_size) (* 2 padding))')]),
            (2, "an operator is missing between '1' and '1'", [('a lost minus sign is put back', '(- (+ (- (* 3 1) 1) 7) 0)', '9')]),
        ],
    ),
]

LSTM_LINES = [
    (
        r"""$$i_t = \sigma(W^i x_t + U^i h_{t-1})$$""",
        [
            (1, "equation", "=", None, "([] i t)", "(sigmoid (+ (implicit W__i ([] x t)) (implicit U__i ([] h (- t 1)))))"),
        ],
        [
        ],
    ),
    (
        r"""$$c_t = f_t \circ c_{t-1} + i_t \circ u_t$$

$$h_t = o_t \circ \tanh(c_t)$$""",
        [
            (1, "equation", "=", None, "([] c t)", "(+ (∘ ([] f t) ([] c (- t 1))) (∘ ([] i t) ([] u t)))"),
            (3, "equation", "=", None, "([] h t)", "(∘ ([] o t) (tanh ([] c t)))"),
        ],
        [
        ],
    ),
    (
        r"""The symbol  $\circ$  denotes element-wise multiplication and  $\sigma(x) = \frac{1}{1 + e^{-x}}$""",
        [
            (1, "equation", "=", None, "(sigmoid x)", "(/ 1 (+ 1 (exp (-. x))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\begin{split} h_t &= o_t \circ \tanh(c_t) \\ \frac{\partial h_t}{\partial h_{t-1}} &= \frac{\partial o_t}{\partial h_{t-1}} \circ \tanh(c_t) + o_t \circ (\tanh'(c_t) \frac{\partial c_t}{\partial h_{t-1}}) \\ c_t &= f_t \circ c_{t-1} + i_t \circ u_t \\ \frac{\partial c_t}{\partial h_{t-1}} &= \frac{\partial f_t}{\partial h_{t-1}} \circ c_{t-1} + f_t \circ \frac{\partial c_{t-1}}{\partial h_{t-1}} + \frac{\partial i_t}{\partial h_{t-1}} \circ u_t + i_t \circ \frac{\partial u_t}{\partial h_{t-1}} \\ &= \frac{\partial f_t}{\partial h_{t-1}} \circ c_{t-1} + 0 + \frac{\partial i_t}{\partial h_{t-1}} \circ u_t + i_t \circ \frac{\partial u_t}{\partial h_{t-1}} \end{split}$$""",
        [
            (1, "equation", "=", None, "([] h t)", "(∘ ([] o t) (tanh ([] c t)))"),
            (1, "equation", "=", None, '(jacobian ([] h t) ([] h (- t 1)))', "(+ (∘ (jacobian ([] o t) ([] h (- t 1))) (tanh ([] c t))) (∘ ([] o t) (implicit (tanh' ([] c t)) (jacobian ([] c t) ([] h (- t 1))))))"),
            (1, "equation", "=", None, "([] c t)", "(+ (∘ ([] f t) ([] c (- t 1))) (∘ ([] i t) ([] u t)))"),
            (1, "equation", "=", None, "(jacobian ([] c t) ([] h (- t 1)))", "(+ (+ (+ (∘ (jacobian ([] f t) ([] h (- t 1))) ([] c (- t 1))) (∘ ([] f t) (jacobian ([] c (- t 1)) ([] h (- t 1))))) (∘ (jacobian ([] i t) ([] h (- t 1))) ([] u t))) (∘ ([] i t) (jacobian ([] u t) ([] h (- t 1)))))"),
            (1, "equation", "=", 3, "(jacobian ([] c t) ([] h (- t 1)))", "(+ (+ (+ (∘ (jacobian ([] f t) ([] h (- t 1))) ([] c (- t 1))) 0) (∘ (jacobian ([] i t) ([] h (- t 1))) ([] u t))) (∘ ([] i t) (jacobian ([] u t) ([] h (- t 1)))))"),
        ],
        [
        ],
    ),
    (
        r"""$$\sigma(z) = \frac{1}{1 + e^{-z}}$$

$$\sigma'(z) = -1 \frac{1}{(1 + e^{-z})^2} (-e^{-z}) = \frac{e^{-z}}{(1 + e^{-z})^2}$$""",
        [
            (1, "equation", "=", None, "(sigmoid z)", "(/ 1 (+ 1 (exp (-. z))))"),
            (3, "equation", "=", None, "(sigmoid' z)", '(implicit (implicit (-. 1) (/ 1 (^ (+ 1 (exp (-. z))) 2))) (-. (exp (-. z))))'),
            (3, "equation", "=", 1, "(sigmoid' z)", '(/ (exp (-. z)) (^ (+ 1 (exp (-. z))) 2))'),
        ],
        [
        ],
    ),
    (
        r"""$$f_t[d_1] = \sigma(W^f[d_1, :] x_t + U^f[d_1, :] h_{t-1})$$

Note that  $W^f$  is a matrix, and  $W^f[d_1,:]$  is a vector. Same holds for  $U^f$  and  $U^f[d_1,:]$

$$f_t[d_1] = \sigma(W^f[d_1,:] \cdot x_t + U^f[d_1,:] \cdot h_{t-1})$$

$$\frac{\partial f_t[d_1]}{\partial h_{t-1}[d_2]} = \sigma'(W^f[d_1,:] \cdot x_t + U^f[d_1,:] \cdot h_{t-1}) \frac{\partial (U^f[d_1,:] \cdot h_{t-1})}{\partial h_{t-1}[d_2]}$$""",
        [
            (1, "equation", "=", None, "([] ([] f t) d_1)", "(sigmoid (+ (implicit ([] W__f d_1 :) ([] x t)) (implicit ([] U__f d_1 :) ([] h (- t 1)))))"),
            (5, "equation", "=", None, "([] ([] f t) d_1)", "(sigmoid (+ (· ([] W__f d_1 :) ([] x t)) (· ([] U__f d_1 :) ([] h (- t 1)))))"),
            (7, "equation", "=", None, '(jacobian ([] ([] f t) d_1) ([] ([] h (- t 1)) d_2))', "(implicit (sigmoid' (+ (· ([] W__f d_1 :) ([] x t)) (· ([] U__f d_1 :) ([] h (- t 1))))) (jacobian (· ([] U__f d_1 :) ([] h (- t 1))) ([] ([] h (- t 1)) d_2)))"),
        ],
        [
        ],
    ),
    (
        r"""$U^f[d_1,:] \cdot h_{t-1} \in \mathbb{R}^1$  is just an inner product:

$$U^f[d_1,:] \cdot h_{t-1} = \sum_{d} U^f(d_1,d) \cdot h_{t-1}(d)$$""",
        [
            (1, "shape", "∈", None, "(· ([] U__f d_1 :) ([] h (- t 1)))", "(list 1)"),
            (3, "equation", "=", None, "(· ([] U__f d_1 :) ([] h (- t 1)))", "(sum (· ([] U__f d_1 d) ([] ([] h (- t 1)) d)) d=:)"),
        ],
        [
        ],
    ),
    (
        r"""$$\frac{\partial (U^f[d_1,:] \cdot h_{t-1})}{\partial h_{t-1}[d_2]} = \frac{\partial (U^f[d_1,d_2] \cdot h_{t-1}[d_2]}{\partial h_{t-1}[d_2]}$$
$$= U^f[d_1,d_2]$$""",
        [
            (2, "equation", "=", None, "(jacobian (· ([] U__f d_1 :) ([] h (- t 1))) ([] ([] h (- t 1)) d_2))", "([] U__f d_1 d_2)"),
        ],
        [
            (1, "this '(' is never closed", [('a bracket is closed or left out', '(jacobian (· ([] U__f d_1 :) ([] h (- t 1))) ([] ([] h (- t 1)) d_2))', '(jacobian (· ([] U__f d_1 d_2) ([] ([] h (- t 1)) d_2)) ([] ([] h (- t 1)) d_2))')]),
        ],
    ),
    (
        r"""$$\frac{\partial f_t[d_1]}{\partial h_{t-1}[d_2]} = \sigma'(W^f[d_1,:] \cdot x_t + U^f[d_1,:] \cdot h_{t-1})U^f[d_1,d_2]$$""",
        [
            (1, "equation", "=", None, '(jacobian ([] ([] f t) d_1) ([] ([] h (- t 1)) d_2))', "(implicit (sigmoid' (+ (· ([] W__f d_1 :) ([] x t)) (· ([] U__f d_1 :) ([] h (- t 1))))) ([] U__f d_1 d_2))"),
        ],
        [
        ],
    ),
    (
        r"""$$c_t = f_t \circ c_{t-1} + i_t \circ u_t \approx 1 \circ c_{t-1} + i_t \circ u_t = c_{t-1} + i_t \circ u_t,$$

and thus  $\frac{\partial c_t}{\partial c_{t-1}} \approx 1$ , that is the gradient flows back through time unchallenged through the memory cell vectors  $c_t$ .""",
        [
            (1, "equation", "=", None, "([] c t)", "(+ (∘ ([] f t) ([] c (- t 1))) (∘ ([] i t) ([] u t)))"),
            (1, "equation", "≈", 0, "([] c t)", "(+ (∘ 1 ([] c (- t 1))) (∘ ([] i t) ([] u t)))"),
            (1, "equation", "=", 1, "([] c t)", "(+ ([] c (- t 1)) (∘ ([] i t) ([] u t)))"),
            (3, "equation", "≈", None, "(jacobian ([] c t) ([] c (- t 1)))", "1"),
        ],
        [
        ],
    ),
    (
        r"""$x_t \in \mathbb{R}^d$  is a vector but  $W_f \in \mathbb{R}^{k \times d}$  is a matrix,  $h_{t-1} \in \mathbb{R}^k$  is a vector but  $W_f \in \mathbb{R}^{k \times k}$  is a matrix,""",
        [
            (1, "shape", "∈", None, "([] x t)", "(list d)"),
            (1, "shape", "∈", None, "W_f", "(list k d)"),
            (1, "shape", "∈", None, "([] h (- t 1))", "(list k)"),
            (1, "shape", "∈", None, "W_f", "(list k k)"),
        ],
        [
        ],
    ),
    (
        r"""so the output will be a vector  $\in \mathbb{R}^k$ . Lets look at one component of the vector:

$$f_t(d) = \sigma(W^f(d) \cdot x_t + U^f(d) \cdot h_{t-1})$$""",
        [
            (1, "shape", "∈", None, None, "(list k)"),
            (3, "equation", "=", None, "([] ([] f t) d)", "(sigmoid (+ (· ([] W__f d) ([] x t)) (· ([] U__f d) ([] h (- t 1)))))"),
        ],
        [
        ],
    ),
    (
        r"""Question: if  $x_t = 0$ ,  $U^f(d) \neq 0$ , which vector  $h_{t-1}$  among all the vectors of euclidean length 1 maximized the values of  $f_t(d)$ ?""",
        [
            (1, "equation", "=", None, "([] x t)", "0"),
            (1, "inequality", "!=", None, "([] U__f d)", "0"),
        ],
        [
        ],
    ),
    (
        r"""Think geometrically (its an inner product, and the euclidean norm is  $v \cdot v = ||v||_2^2$ !!!) to find the solution, then it is easy.

The inner product  $u \cdot v$  is maximized among all vectors of same length for that vector v which is parallel to u.

$$\mathrm{argmax}_{v:\|v\|_2=1}u\cdot v=\frac{u}{\|u\|_2}$$

Therefore:  $h_{t-1} = \frac{U^f(d)}{\|U^f(d)\|_2}$""",
        [
            (1, "equation", "=", None, "(· v v)", "(^ (norm v 2) 2)"),
            (5, "equation", "=", None, "(argmax (· u v) ((norm v 2) == 1) v=:)", "(/ u (norm u 2))"),
            (7, "equation", "=", None, "([] h (- t 1))", "(/ ([] U__f d) (norm ([] U__f d) 2))"),
        ],
        [
        ],
    ),
    (
        r"""• in the task above, does the argmax depend on the value of  $W^f(d) \cdot x_t$ ? Does the max depend on it? Give at most 3 sentences justification The argmax - the vector  $h_{t-1}$  which maximizes the objective does not depend on it. The value of the objective does depend on  $W^f(d) \cdot x_t$ . One can compare  $x_t = 0$  - then we have  $\sigma(U^f(d) \cdot \frac{U^f(d)}{\|U^f(d)\|_2}) = \sigma(1)$  versus  $x_t = 10000 \frac{W^f(d)}{\|W^f(d)\|_2}$ b - then we would have  $\sigma(10000 + 1)$  which is larger than  $\sigma(1)$ .""",
        [
            (1, "equation", "=", None, "([] x t)", "0"),
            (1, "equation", "=", None, "(sigmoid (· ([] U__f d) (/ ([] U__f d) (norm ([] U__f d) 2))))", "(sigmoid 1)"),
            (1, "equation", "=", None, "([] x t)", "(implicit 10000 (/ ([] W__f d) (norm ([] W__f d) 2)))"),
            (1, "value", "", None, None, "(sigmoid (+ 10000 1))"),
            (1, "value", "", None, None, "(sigmoid 1)"),
        ],
        [
        ],
    ),
    (
        r"""$$floor(\frac{78 + 2*2 - 5}{3}) + 1 = 26$$

$$floor(\frac{84 + 2*2 - 5}{3}) + 1 = 28$$""",
        [
            (1, "equation", "=", None, "(+ (floor (/ (- (+ 78 (* 2 2)) 5) 3)) 1)", "26"),
            (3, "equation", "=", None, "(+ (floor (/ (- (+ 84 (* 2 2)) 5) 3)) 1)", "28"),
        ],
        [
        ],
    ),
    (
        r"""$$floor(\frac{x+2*1-9}{3}) + 1 = 16$$

$$\Rightarrow floor(\frac{x+2*1-9}{3}) = 15$$

$$\Rightarrow (\frac{x+2*1-9}{3} \ge 15) \text{ and } (\frac{x+2*1-9}{3} < 16)$$

$$\Rightarrow (x-7 \ge 45) \text{ and } (x-7 < 48)$$

$$\Rightarrow (x \ge 52) \text{ and } (x < 55)$$

$$\Rightarrow 52 \le x < 55$$""",
        [
            (1, "equation", "=", None, "(+ (floor (/ (- (+ x (* 2 1)) 9) 3)) 1)", "16"),
            (3, "equation", "=", None, "(floor (/ (- (+ x (* 2 1)) 9) 3))", "15"),
            (5, "inequality", ">=", None, None, "((/ (- (+ x (* 2 1)) 9) 3) >= 15)"),
            (5, "inequality", "<", None, None, "((/ (- (+ x (* 2 1)) 9) 3) < 16)"),
            (7, "inequality", ">=", None, None, "((- x 7) >= 45)"),
            (7, "inequality", "<", None, None, "((- x 7) < 48)"),
            (9, "inequality", ">=", None, None, "(x >= 52)"),
            (9, "inequality", "<", None, None, "(x < 55)"),
            (11, "inequality", "<=", None, None, "(52 <= x < 55)"),
        ],
        [
        ],
    ),
    (
        r"""$$32 * 7 * 7 * 64$$""",
        [
            (1, "value", "", None, None, "(* (* (* 32 7) 7) 64)"),
        ],
        [
        ],
    ),
    (
        r"""For a 2d-convolution that are 5\*5=25 inner products to be computed. Each inner product is with a kernel of size (7,7) - thus 49 multiplications and 48 addition ops (adding 2 elements is 1 add, adding 3 elements is 2 add ... etc). Therefore we have  $49*n_{in}*25*n_{out}$  mul and  $(49*n_{in}-1)*25*n_{out}$  add ops, where  $n_{in}=32$  and  $n_{out}=64$""",
        [
            (1, "equation", "=", None, "(* 5 5)", "25"),
            (1, "definition", "=", None, "n_in", "32"),
            (1, "definition", "=", None, "n_out", "64"),
        ],
        [
        ],
    ),
]
# fmt: on


def stated(document: Document) -> list[tuple[int, str, str, int | None, str | None, str]]:
    return [
        (c.place.line, c.kind, c.relation, c.previous, None if c.left is None else sexp(c.left), sexp(c.right))
        for c in document.claims
    ]


def refused(document: Document) -> list[tuple[int, str, list[tuple[str, str, str]]]]:
    return [
        (u.at.line, u.reason, [(o.repaired, sexp(o.left) if o.left else "", sexp(o.right)) for o in u.offers])
        for u in document.unread
    ]


@pytest.mark.parametrize(
    ("words", "text", "claims", "unread"),
    [(BPTT, *line) for line in BPTT_LINES] + [(LSTM, *line) for line in LSTM_LINES],
)
def test_what_real_answers_state(words: Vocabulary, text: str, claims: list[object], unread: list[object]) -> None:
    document = read_document(text + "\n", words)
    assert (stated(document), refused(document)) == (claims, unread)


def test_the_table_holds_forty_equations() -> None:
    assert sum(len(claims) for _, claims, _ in (*BPTT_LINES, *LSTM_LINES)) >= 40


TEX = r"""\documentclass{article}
\newcommand{\R}{\mathbb{R}}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\begin{document}
\section{BPTT}
% $x = 1$ is a comment
We have $x_t \in \R^{d}$ and
\begin{align*}
  \pd{E_t}{z_t} &= \hat{y}_t - y_t, \\
  \pd{E_t}{h_t} &= V^\top(\hat{y}_t - y_t) \\
   &= V^{\mathsf{T}} \delta_t \quad \text{where } \delta_t = \hat y_t - y_t \label{eq:a}
\end{align*}
so \[ \begin{aligned} \delta h_t &= V^T e_t \\ &\quad + W^T \delta a_{t+1} \end{aligned} \]
\end{document}
"""


def test_a_tex_file(tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text(TEX)
    document = read_document(tmp_path / "a.tex", BPTT)
    assert stated(document) == [
        (7, "shape", "∈", None, "([] x t)", "(list d)"),
        (9, "equation", "=", None, "(jacobian ([] E t) ([] z t))", "(- ([] yhat t) ([] y t))"),
        (10, "equation", "=", None, "(jacobian ([] E t) ([] h t))", "(implicit (T V) (- ([] yhat t) ([] y t)))"),
        (11, "equation", "=", 2, "(jacobian ([] E t) ([] h t))", "(implicit (T V) ([] delta t))"),
        (11, "definition", "=", None, "([] delta t)", "(- ([] yhat t) ([] y t))"),
        (13, "definition", "=", None, "([] δh t)", "(+ (implicit (T V) ([] e t)) (implicit (T W) ([] δa (+ t 1))))"),
    ]
    assert [c.context for c in document.claims][:2] == ["BPTT: We have", "BPTT: and"]
    assert document.unread == ()


def test_settings_in_brackets_are_no_equations_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "answer.txt"
    path.write_text("The scores are y_t = softmax(V, axis=0), and E = sum(V, axis=1).\n", encoding="utf-8")
    document = read_document(path, BPTT)
    assert [(sexp(c.left), sexp(c.right)) for c in document.claims if c.left is not None] == [
        ("([] y t)", "(softmax V axis=0)"),
        ("E", "(sum V axis=1)"),
    ]


def test_plain_text_with_unicode(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "∂E_2/∂h_2 = Vᵀ(ŷ_2 − y_2)\n"
        "so the sum is done. The output size is 9 x 9 and AP = 58/77 = 0.753 (see Rank=0).\n"
        "\\frac{\\partial E}{\\partial V} = \\sum_{k=1}^3 (\\hat{y}_k - y_k) h_k^\\top\n"
    )
    assert stated(read_document(tmp_path / "a.txt", BPTT)) == [
        (1, "equation", "=", None, "(jacobian ([] E 2) ([] h 2))", "(implicit (T V) (- ([] yhat 2) ([] y 2)))"),
        (2, "value", "", None, None, "(× 9 9)"),
        (2, "definition", "=", None, "AP", "(/ 58 77)"),
        (2, "equation", "=", 2, "AP", "753/1000"),
        (2, "definition", "=", None, "Rank", "0"),
        (
            3, "equation", "=", None, "(jacobian E V)",
            "(sum (implicit (- ([] yhat k) ([] y k)) (T ([] h k))) k=(.. 1 3))",
        ),
    ]  # fmt: skip


def test_a_notebook_keeps_the_lines_of_its_file(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Q1\n", "We have\n", "$$E_t = y_t^\\top z_t$$\n"]},
        {"cell_type": "code", "source": ["a = 1\n"], "outputs": [], "metadata": {}},
        {"cell_type": "markdown", "metadata": {}, "source": "so $E_1 = 1$ ∂"},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}, indent=1))
    document = read_document(path, BPTT)
    found = [(c.latex, sexp(c.right), path.read_text().split("\n")[c.place.line - 1]) for c in document.claims]
    assert [(latex, right) for latex, right, _ in found] == [
        (r"E_t = y_t^\top z_t", "(implicit (T ([] y t)) ([] z t))"),
        ("E_1 = 1", "1"),
    ]
    assert all("E_" in line for _, _, line in found)
    assert document.claims[0].context == "Q1: We have"


def test_answers_by_question(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "e1: 'V^\\top(\\hat y_1 - y_1)'\n"
        'e2: "V.T @ (yhat[2] - y[2])"\n'
        "jac: |\n  It is $\\frac{\\partial h_t}{\\partial h_{t-1}} = D_t W$.\n"
    )
    document = read_document(path, BPTT)
    assert [c.question for c in document.claims] == ["e1", "e2", "jac"]
    assert stated(document) == [
        (1, "value", "", None, None, "(implicit (T V) (- ([] yhat 1) ([] y 1)))"),
        (2, "value", "", None, None, "(@ (T V) (- ([] yhat 2) ([] y 2)))"),
        (4, "equation", "=", None, "(jacobian ([] h t) ([] h (- t 1)))", "(implicit ([] D t) W)"),
    ]


def test_tables_are_kept_cell_by_cell() -> None:
    text = "Ranks:\n\n| Rank | P |\n|---|---|\n| 1 | 1/5 |\n\nand\n\na\tb\tc\n1\t2\t3\n"
    tables = read_document(text, BPTT).tables
    assert [t.rows for t in tables] == [(("Rank", "P"), ("1", "1/5")), (("a", "b", "c"), ("1", "2", "3"))]


def test_one_formula_by_itself() -> None:
    document = read_formula(r"\frac{\partial E_t}{\partial h_t} = V^\top(\hat y_t - y_t)", BPTT)
    assert [sexp(c.right) for c in document.claims] == ["(implicit (T V) (- ([] yhat t) ([] y t)))"]


SPELLED_OUT = [
    (r"E _ { 1 } = \frac { 2 1 - 4 } { 4 } + 0 . 2 5", ["(+ (/ (- 21 4) 4) 1/4)"]),
    (r"E_1 = \frac 1 2", ["(/ 1 2)"]),
    (
        r"\begin{array} { r l } { z _ { 1 } } & { = V h _ { 1 } } \\ { } & { = W } \end{array}",
        ["(implicit V ([] h 1))", "W"],
    ),
    (r"z_1 \stackrel{(a)}{=} V h_1 \overset{!}{=} W", ["(implicit V ([] h 1))", "W"]),
    (r"\frac{V}{W} {=} {W}_1", ["([] W 1)"]),
    (r"\left\{\begin{array}{l} z_1 = V h_1 \\ y_1 = W \end{array}\right.", ["(implicit V ([] h 1))", "W"]),
    (r"\begin{cases} z_1 = V h_1 \\ y_1 = W \end{cases}", ["(implicit V ([] h 1))", "W"]),
    (r"z_1 = V h_1 \qquad y_1 = W", ["(implicit V ([] h 1))", "W"]),
    (r"z_1 = \mathbf{U} \mathbf{I}_1", ["(implicit U ([] I 1))"]),
    (r"z_1 = V \quad h_1", ["(implicit V ([] h 1))"]),
    (r"z_1 = V + \quad h_1 = W", ["(+ V ([] h 1))", "W"]),
]


@pytest.mark.parametrize(("text", "rights"), SPELLED_OUT)
def test_what_the_page_does_not_show_says_nothing(text: str, rights: list[str]) -> None:
    document = read_formula(text, BPTT)
    assert [sexp(claim.right) for claim in document.claims] == rights
    assert document.unread == ()


OFFERS = [
    (r"E_1 = 3 1 + 7", "a lost minus sign is put back", "(+ (- 3 1) 7)"),
    (r"h_t = (W x_t", "a bracket is closed or left out", "(implicit W ([] x t))"),
    (r"h_t = W x_t)", "a bracket is closed or left out", "(implicit W ([] x t))"),
    (r"c_t = f_t . W", "the dot is read as ·", "(· ([] f t) W)"),
]


@pytest.mark.parametrize(("text", "why", "tree"), OFFERS)
def test_a_fault_is_mended_in_an_offer_only(text: str, why: str, tree: str) -> None:
    document = read_formula(text, BPTT)
    assert document.claims == ()
    (unread,) = document.unread
    assert (why, tree) in [(o.repaired, sexp(o.right)) for o in unread.offers]


HOSTILE = [
    "$" * 20000, "$" + "{" * 9000 + "$", "$" + "(" * 9000 + "x" + ")" * 9000 + "$", "$" + r"\frac" * 3500 + "$",
    "$" + "h_{" * 3000 + "t" + "}" * 3000 + "$", "$" + "W(" * 3000 + "t" + ")" * 3000 + "$",
    "$" + r"\hat{" * 3000 + "y" + "}" * 3000 + "$", "$" + "a^" * 3000 + "b$", "$" + r"\log " * 3500 + "x$",
    "$" + r"\mathrm{a +" * 1500 + "}" * 1500 + "$", r"\begin{align}" * 2000, "$$x=$$" * 2000, "| a " * 20000,
    "$" + "1 " * 9000 + "$", "<table><tr><td>" * 9000, r"\begin{tabular}{c}" * 5000, "|-|\n" * 5000 + "| 9 |\n" * 2,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_documents_are_read_or_refused(text: str) -> None:
    document = read_document("x\n" + text, BPTT)
    assert len(document.claims) + len(document.unread) < 5000


def test_files_that_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{}")
    (tmp_path / "b.md").write_bytes(b"\xff\xfe")
    (tmp_path / "c.yaml").write_text("- 1\n")
    for name in ("a.ipynb", "b.md", "c.yaml", "missing.tex"):
        with pytest.raises(AnswerError):
            read_document(tmp_path / name, BPTT)
