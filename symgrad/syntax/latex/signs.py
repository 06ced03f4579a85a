"""What the commands and signs of LaTeX mean to the parser, one table for each kind."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

GREEK: Final = MappingProxyType(
    {
        "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
        "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
        "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
        "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
        "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    }
)  # fmt: skip
GREEK_LETTERS: Final = MappingProxyType({sign: name for name, sign in GREEK.items()} | {"µ": "mu", "φ": "phi"})

OPERATORS: Final = MappingProxyType(
    {
        r"\odot": "⊙", r"\circ": "∘", r"\cdot": "·", r"\bullet": "·", r"\times": "×", r"\ast": "*", r"\star": "*",
        r"\oslash": "⊘", r"\otimes": "⊗", r"\*": "*", r"\div": "/", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=",
        r"\ge": ">=", r"\geq": ">=", r"\geqslant": ">=", r"\lt": "<", r"\gt": ">", r"\ne": "!=", r"\neq": "!=",
        r"\to": "->", r"\rightarrow": "->", r"\longrightarrow": "->", r"\in": "∈", r"\sim": "~", r"\approx": "≈",
        r"\simeq": "≈", r"\mid": "|", r"\vert": "|", r"\Vert": "‖", r"\|": "‖", r"\parallel": "‖",
        r"\triangleq": "=", r"\coloneqq": "=", r"\equiv": "=", r"\doteq": "=", r"\colon": ":", r"\propto": "∝",
        r"\Rightarrow": "⇒", r"\implies": "⇒", r"\Longrightarrow": "⇒", r"\therefore": "⇒", r"\iff": "⇔",
        r"\Leftrightarrow": "⇔", r"\pm": "±", r"\dots": "…", r"\ldots": "…", r"\cdots": "…", r"\vdots": "…",
        r"\ddots": "…", r"\prime": "'", r"\\": "\\\\", r"\cr": "\\\\", r"\newline": "\\\\", r"\land": "and",
        r"\leftarrow": "←", r"\gets": "←", r"\longleftarrow": "←", r"\wedge": "and", r"\mapsto": "↦",
        r"\forall": "∀", r"\oplus": "⊕",
    }
)  # fmt: skip

NAMES: Final = MappingProxyType(
    {
        r"\ell": "ell", r"\infty": "inf", r"\top": "⊤", r"\intercal": "⊤", r"\dagger": "†", r"\hbar": "hbar",
        r"\tanh": "tanh", r"\exp": "exp", r"\log": "log", r"\ln": "log", r"\lg": "log", r"\sin": "sin",
        r"\cos": "cos", r"\tan": "tan", r"\sinh": "sinh", r"\cosh": "cosh", r"\coth": "coth", r"\det": "det",
        r"\imath": "i", r"\jmath": "j", r"\emptyset": "∅",
    }
)  # fmt: skip

_SAME_NAME: Final = (
    "tanh", "sigmoid", "relu", "exp", "log", "sqrt", "abs", "sign", "sin", "cos", "softplus", "gelu", "silu",
    "erf", "floor", "ceil", "softmax", "logsumexp", "norm", "trace", "det", "inv", "diag", "vec", "outer",
    "dot", "kron", "mean", "argmax", "cross_entropy", "one_hot", "indicator", "where", "reshape", "transpose",
    "concat", "stack", "size", "loss", "max", "min", "sum", "prod", "grad", "jacobian", "conv1d", "conv2d",
    "conv_transpose2d", "maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d", "maxunpool1d", "maxunpool2d", "tan",
    "sinh", "cosh", "coth", "sech", "bernoulli", "normal",
)  # fmt: skip

FUNCTIONS: Final = MappingProxyType(
    {
        **{name: name for name in _SAME_NAME},
        "sigma": "sigmoid", "ReLU": "relu", "Relu": "relu", "ReLu": "relu", "RELU": "relu", "GELU": "gelu",
        "SiLU": "silu", "Softmax": "softmax", "SoftMax": "softmax", "softMax": "softmax", "softargmax": "softmax",
        "ln": "log",
        "sgn": "sign", "tr": "trace", "Tr": "trace", "Diag": "diag", "LSE": "logsumexp", "CE": "cross_entropy",
        "xent": "cross_entropy", "KL": "KL", "dim": "dim", "onehot": "one_hot", "Var": "Var", "Concat": "concat",
        "ceiling": "ceil", "convtranspose1d": "conv_transpose1d", "convtranspose2d": "conv_transpose2d",
         "Floor": "floor", "Tanh": "tanh", "Sigmoid": "sigmoid",
    }
)  # fmt: skip
"""How functions are called in answers, and their names in the problem language."""

BIG: Final = MappingProxyType(
    {
        r"\sum": "sum", r"\prod": "prod", r"\max": "max", r"\min": "min", r"\argmax": "argmax", r"\argmin": "argmin",
        r"\int": "integral", r"\lim": "lim", r"\E": "E",
    }
)  # fmt: skip

ACCENTS: Final = MappingProxyType(
    {
        r"\hat": "hat", r"\widehat": "hat", r"\bar": "bar", r"\overline": "bar", r"\tilde": "tilde",
        r"\widetilde": "tilde", r"\dot": "dot", r"\vec": "vec", r"\overrightarrow": "vec", r"\check": "check",
        r"\breve": "breve", r"\ddot": "ddot",
    }
)  # fmt: skip
COMBINING: Final = MappingProxyType(
    {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde", "\u0307": r"\dot", "\u20d7": r"\vec"}
)

GRAMMAR: Final = frozenset(
    {r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\sqrt", r"\partial", r"\nabla", r"\begin", r"\end", *ACCENTS, *BIG}
)
"""Commands that the parser has a rule for."""

UPRIGHT: Final = frozenset(
    {r"\text", r"\mbox", r"\textrm", r"\textit", r"\textbf", r"\textsf", r"\texttt", r"\textnormal", r"\mathrm",
     r"\operatorname", r"\operatorname*", r"\mathit", r"\mathsf", r"\mathtt", r"\mathop", r"\mathnormal", r"\hbox"}
)  # fmt: skip
"""Commands around words."""

FONTS: Final = frozenset(
    {r"\mathbf", r"\boldsymbol", r"\bm", r"\mathcal", r"\mathscr", r"\mathfrak", r"\pmb", r"\bf", r"\rm", r"\it"}
)
"""Fonts that do not tell names apart."""

BLACKBOARD: Final = frozenset({r"\mathbb", r"\mathbbm", r"\mathds", r"\Bbb"})

SILENT: Final = frozenset(
    {r"\,", r"\:", r"\;", r"\!", r"\ ", r"\>", r"\quad", r"\qquad", r"\displaystyle", r"\textstyle", r"\scriptstyle",
     r"\limits", r"\nolimits", r"\nonumber", r"\notag", r"\centering", r"\hline", r"\thinspace", r"\medspace",
     r"\thickspace", r"\enspace", r"\enskip", r"\allowbreak", r"\relax", r"\noindent", r"\big", r"\Big", r"\bigg",
     r"\Bigg", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\biggl", r"\biggr", r"\Biggl", r"\Biggr", r"\bigm", r"\Bigm",
     r"\middle", r"\ensuremath", r"\boxed", r"\cancel", r"\mathstrut", r"\strut", r"\null", r"\fbox", r"\small",
     r"\large", r"\substack", r"\par", r"\/", r"\mathrel", r"\mathbin"}
)  # fmt: skip
SILENT_WITH_ARGUMENT: Final = frozenset(
    {r"\tag", r"\tag*", r"\label", r"\color", r"\phantom", r"\hphantom", r"\vphantom", r"\hspace", r"\hspace*",
     r"\vspace", r"\vspace*", r"\textcolor", r"\ref", r"\eqref", r"\footnote", r"\intertext"}
)  # fmt: skip

OPENING: Final = MappingProxyType(
    {"(": "(", "[": "[", "{": "{", r"\{": r"\{", r"\lbrace": r"\{", r"\lbrack": "[", r"\lvert": "|(", r"\lVert": "‖(",
     r"\lfloor": "⌊", r"\lceil": "⌈", r"\langle": "⟨", "⌊": "⌊", "⌈": "⌈", "⟨": "⟨"}
)  # fmt: skip
CLOSING: Final = MappingProxyType(
    {")": ")", "]": "]", "}": "}", r"\}": r"\}", r"\rbrace": r"\}", r"\rbrack": "]", r"\rvert": ")|", r"\rVert": ")‖",
     r"\rfloor": "⌋", r"\rceil": "⌉", r"\rangle": "⟩", "⌋": "⌋", "⌉": "⌉", "⟩": "⟩"}
)  # fmt: skip
PARTNERS: Final = MappingProxyType(
    {"(": ")", "[": "]", "{": "}", r"\{": r"\}", "|(": ")|", "‖(": ")‖", "⌊": "⌋", "⌈": "⌉", "⟨": "⟩", ".(": "."}
)

UNICODE: Final = MappingProxyType(
    {
        "∂": r"\partial", "∇": r"\nabla", "⊙": r"\odot", "∘": r"\circ", "·": r"\cdot", "⋅": r"\cdot", "∙": r"\cdot",
        "×": r"\times", "∗": r"\ast", "⊘": r"\oslash", "⊗": r"\otimes", "−": "-", "–": "-", "÷": r"\div", "≤": r"\le",
        "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "→": r"\to", "⟶": r"\to", "∈": r"\in", "∼": r"\sim", "∞": r"\infty",
        "∑": r"\sum", "Σ": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\sqrt", "‖": r"\|", "′": "'", "’": "'",
        "⇒": r"\Rightarrow", "⟹": r"\Rightarrow", "⇔": r"\iff", "…": r"\dots", "⋯": r"\dots", "ℓ": r"\ell",
        "≡": r"\equiv", "≔": r"\coloneqq", "⊤": r"\top", "∣": r"\mid", "∀": r"\forall", "±": r"\pm", "∝": r"\propto",
        "←": r"\gets", "⊕": r"\oplus", "‐": "-", "\u2062": r"\,", "\u2061": r"\,",
    }
)  # fmt: skip
RAISED: Final = MappingProxyType(
    dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵗᵏʲ", "0123456789+-()nitkj", strict=True)) | {"ᵀ": "⊤", "ᵗ": "t"}
)
LOWERED: Final = MappingProxyType(
    dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx", strict=True))
)
