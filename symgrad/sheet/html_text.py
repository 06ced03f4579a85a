"""Text, formulas and an author's Markdown for HTML; formulas carry their LaTeX with them."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from symgrad.notation.formula import read_formula
from symgrad.notation.latex import latex
from symgrad.notation.mathml import mathml, right_side
from symgrad.notation.tree import Aligned, Line, Row, Text, Tree
from symgrad.sheet.document import Words
from symgrad.sheet.prose import READER, target

_CLOSING: Final = ",.;:)"


def words(sentence: Words) -> Markup:
    """A sentence with formulas in it; no line begins with the punctuation behind one."""
    pieces: list[str | Markup] = []
    for x in sentence:
        if isinstance(x, Tree):
            pieces.append(inline(x))
            continue
        bare = x.lstrip(_CLOSING)
        if pieces and isinstance(pieces[-1], Markup) and len(bare) < len(x):
            pieces[-1] = Markup('<span class="held">{}{}</span>').format(pieces[-1], x[: len(x) - len(bare)])
            x = bare
        pieces.append(x)
    return Markup("").join(pieces)


def inline(tree: Tree) -> Markup:
    """A formula within a sentence."""
    return _math(mathml(tree), latex(tree), "")


def _math(body: str, source: str, attributes: str) -> Markup:
    annotation = f'<annotation encoding="application/x-tex">{escape(source)}</annotation>'
    return Markup(f"<math{attributes}><semantics><mrow>{body}</mrow>{annotation}</semantics></math>")


def rows(aligned: Aligned) -> list[Mapping[str, Markup]]:
    """The left side, the right side with its relation, and the reason of every line."""
    return [
        {
            "left": _displayed(mathml(x.left), latex(x.left)) if x.left else Markup(""),
            "right": _displayed(right_side(x), latex(Line(None, x.relation, x.right)).replace("&", "")),
            "reason": _reason(x.reason),
        }
        for x in aligned.lines
    ]


def _displayed(body: str, source: str) -> Markup:
    return _math(body, source, ' displaystyle="true"')


def _reason(reason: Tree | None) -> Markup:
    """A reason as words, whose lines the page breaks by itself."""
    if reason is None:
        return Markup("")
    lines = [x.right for x in reason.lines] if isinstance(reason, Aligned) else [reason]
    pieces: list[str | Markup] = []
    for line in lines:
        pieces += [" "] if pieces else []
        for item in line.items if isinstance(line, Row) else (line,):
            pieces.append(item.words if isinstance(item, Text) else inline(item))
    return Markup("").join(pieces)


def digest(text: str) -> Markup:
    """What a content security policy calls a style or script that it allows."""
    return Markup("'sha256-" + base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode() + "'")


class _Renderer(RendererHTML):
    """Markdown's own elements, with formulas as MathML and links that only lead to the web."""

    def link_open(self, tokens: Sequence[Token], k: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        if not target(tokens[k]):
            return "<span>"
        tokens[k].attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, k, options, env)

    def link_close(self, tokens: Sequence[Token], k: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        opened = [t for t in tokens[:k] if t.type == "link_open"]
        return "</a>" if opened and opened[-1].attrGet("rel") else "</span>"

    def image(self, tokens: Sequence[Token], k: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return escape(tokens[k].content)

    def math_inline(self, tokens: Sequence[Token], k: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return _formula(tokens[k].content, "")

    def math_block(self, tokens: Sequence[Token], k: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return f'<div class="eq">{_formula(tokens[k].content, " displaystyle=true")}</div>'

    math_inline_double = math_block_label = math_block


_RENDERER = _Renderer()


def _formula(source: str, attributes: str) -> str:
    tree = read_formula(source)
    return f"<code>{escape(source)}</code>" if tree is None else _math(mathml(tree), source, attributes)


def prose(markdown: str) -> Markup:
    """The Markdown as HTML; HTML in it is printed as the text that it is."""
    return Markup(_RENDERER.render(_lowered(READER.parse(markdown)), READER.options, {}))


def _lowered(tokens: Iterable[Token]) -> list[Token]:
    """The tokens with headings below those of the sheet."""
    found = list(tokens)
    for token in found:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4"
    return found
