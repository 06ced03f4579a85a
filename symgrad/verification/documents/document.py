"""Documents in LaTeX, Markdown, plain text, notebooks and YAML: the formulas in them, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.errors import AnswerError, ProblemError
from symgrad.problem.yaml_tree import RawMap, RawNode, RawScalar, read_yaml
from symgrad.source import Source
from symgrad.verification.documents.claims import Formula, Table
from symgrad.verification.documents.macros import written_out
from symgrad.verification.documents.notebook import cells
from symgrad.verification.documents.tables import tables_in

LARGEST_DOCUMENT = 5_000_000
_LONGEST_INLINE = 30_000
_LONGEST_CONTEXT = 300

_ENVIRONMENTS = "equation|align|aligned|alignat|gather|gathered|multline|eqnarray|displaymath|math|split|dmath|flalign"
_OPENER: Final = re.compile(
    rf"(?P<code>^(?:```|~~~)[^\n]*\n)|(?P<verbatim>\\begin\{{(?:verbatim|lstlisting|minted)\}})"
    rf"|(?P<environment>\\begin\{{(?P<name>{_ENVIRONMENTS})\*?\}})"
    r"|(?P<dollars>(?<!\\)\$\$)|(?P<bracket>(?<!\\)\\\[)|(?P<paren>(?<!\\)\\\()|(?P<dollar>(?<![\\$])\$(?!\$))"
    r"|(?P<heading>^\#{1,6}[ \t][^\n]*|\\(?:sub)*section\*?\{[^}\n]*\}|\\paragraph\*?\{[^}\n]*\})",
    re.MULTILINE,
)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_SIGNS: Final = frozenset("∂⊙ᵀ⊤Σ∑∏∇·×σ√∘ŷ≤≥∈α∞₀₁₂₃ₜ")


class Written(Struct, frozen=True):
    """A document taken apart: its formulas, the prose between them, its tables."""

    source: Source
    formulas: tuple[Formula, ...]
    prose: tuple[tuple[Source, str, str | None], ...]
    tables: tuple[Table, ...]


def load(path_or_text: Path | str) -> tuple[Source, str]:
    """A document and its kind by its ending; a text itself, which is what has several lines, is Markdown.

    Raises:
        AnswerError: it cannot be opened, is no text, or is too large.
    """
    if isinstance(path_or_text, str) and not _is_path(path_or_text):
        return _checked(Source("<answer>", path_or_text.replace("\r\n", "\n"))), "md"
    path = Path(path_or_text)
    nowhere = Source(str(path), "").place()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AnswerError(f"cannot be opened: {error.strerror or error}", nowhere) from None
    except UnicodeDecodeError:
        raise AnswerError("this is not UTF-8 text", nowhere) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _checked(Source(str(path), text)), path.suffix.lower().lstrip(".")


def _is_path(text: str) -> bool:
    single = "\n" not in text and len(text) < 1000 and not any(sign in text for sign in "$=\\{}")
    return single and re.search(r"\.(tex|md|txt|ipynb|ya?ml|markdown)$", text, re.IGNORECASE) is not None


def _checked(source: Source) -> Source:
    if len(source.text) > LARGEST_DOCUMENT:
        message = f"the document has {len(source.text)} characters; at most {LARGEST_DOCUMENT} are read"
        raise AnswerError(message, Source(source.name, "").place())
    return source


def take_apart(source: Source, kind: str = "md") -> Written:
    """The formulas, prose and tables of a document.

    Raises:
        AnswerError: a notebook or YAML file is broken.
    """
    match kind:
        case "ipynb":
            parts = [_text(cell, "md") for cell in cells(source)]
        case "yaml" | "yml":
            parts = list(_answers(source))
        case _:
            parts = [_text(source, kind)]
    formulas = tuple(f for part in parts for f in part.formulas)
    prose = tuple(p for part in parts for p in part.prose)
    return Written(source, formulas, prose, tuple(t for part in parts for t in part.tables))


def _answers(source: Source) -> Iterator[Written]:
    """Question ids with their answers; a list holds lines of one answer."""
    try:
        root, diagnostics = read_yaml(source)
    except ProblemError as error:
        raise AnswerError(error.diagnostics) from None
    if diagnostics or not isinstance(root, RawMap):
        raise AnswerError(diagnostics or "answers are a mapping of question ids to formulas", source.place(0, 0))
    nested = root.get("answers")
    for key, value in (nested if isinstance(nested, RawMap) else root).entries:
        for scalar in _scalars(value):
            yield _answer(key.text, scalar)


def _scalars(node: RawNode) -> Iterator[RawScalar]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        match node:
            case RawScalar():
                yield node
            case RawMap(entries):
                waiting.extend(value for _, value in reversed(entries))
            case _:
                waiting.extend(reversed(node.items))


def _answer(question: str, scalar: RawScalar) -> Written:
    part = _text(scalar.source, "md")
    if not part.formulas and "\n\n" not in scalar.source.text:
        return Written(scalar.source, (Formula(scalar.source, True, question, question),), (), ())
    formulas = tuple(replace(f, question=question) for f in part.formulas)
    return replace(part, formulas=formulas, prose=tuple((s, c, question) for s, c, _ in part.prose))


# Texts


def _text(source: Source, kind: str) -> Written:
    if kind == "tex":
        source = written_out(_without_comments(source))
    scanner = _Scanner(source)
    scanner.run(_body(source) if kind == "tex" else 0)
    return Written(source, tuple(scanner.formulas), tuple(scanner.prose), tuple(tables_in(source)))


def _without_comments(source: Source) -> Source:
    """The same text with blanks for comments."""
    text = _COMMENT.sub(lambda found: " " * len(found[0]), source.text)
    return Source(source.name, text, source, range(len(text) + 1))


def _body(source: Source) -> int:
    begun = source.text.find(r"\begin{document}")
    return max(0, begun)


class _Scanner(Struct):
    """One pass over a text; a closing sign that was not found once is not looked for again."""

    source: Source
    formulas: list[Formula] = field(default_factory=list)
    prose: list[tuple[Source, str, str | None]] = field(default_factory=list)
    heading: str = ""
    words: str = ""
    missing: set[str] = field(default_factory=set)

    def run(self, at: int) -> None:
        """Take the text apart from a place to its end."""
        text = self.source.text
        while found := _OPENER.search(text, at):
            self.say(at, found.start())
            at = self.read(found)
        self.say(at, len(text))

    def read(self, found: re.Match[str]) -> int:
        """Read what begins here; the place behind it."""
        match found.lastgroup:
            case "heading":
                self.heading = re.sub(r"^\\\w+\*?\{|\}$|^#+\s*", "", found[0]).strip()
                self.words = ""
                return found.end()
            case "code":
                return self.code(found)
            case "verbatim":
                end = self.source.text.find(found[0].replace("begin", "end"), found.end())
                return found.end() if end < 0 else end
            case "dollars":
                return self.formula(found, "$$", True)
            case "bracket":
                return self.formula(found, r"\]", True)
            case "paren":
                return self.formula(found, r"\)", False)
            case "dollar":
                return self.formula(found, "$", False)
            case _:
                return self.formula(found, found[0].replace("begin", "end"), True)

    def formula(self, found: re.Match[str], closer: str, display: bool) -> int:
        """Note the formula that begins here and is closed so; the place behind it."""
        text, start = self.source.text, found.end()
        if closer in self.missing:
            return start
        end = text.find(closer, start) if display else self._inline_end(closer, start)
        while closer == "$" and end > 0 and text[end - 1] == "\\":
            end = self._inline_end(closer, end + 1)
        if end < 0:
            if display:
                self.missing.add(closer)
            return start
        if display and closer in ("$$", r"\]") and "\n\n" in text[start:end] and "$" in text[start:end].strip("$"):
            return start
        self.add(start, end, display)
        return end + len(closer)

    def _inline_end(self, closer: str, start: int) -> int:
        end = self.source.text.find(closer, start, start + _LONGEST_INLINE)
        blank = self.source.text.find("\n\n", start, max(start, end))
        return -1 if blank >= 0 else end

    def add(self, start: int, end: int, display: bool) -> None:
        """Note a formula, with the words before it."""
        adjoins = not self.words.strip() and bool(self.formulas)
        context = f"{self.heading}: {self.words.strip()}" if self.heading else self.words.strip()
        self.formulas.append(Formula(self.source.part(start, end), display, context[-_LONGEST_CONTEXT:], None, adjoins))
        self.words = ""

    def say(self, start: int, end: int) -> None:
        """The prose between two formulas."""
        words = self.source.text[start:end]
        if words.strip():
            self.prose.append((self.source.part(start, end), self.heading, None))
            self.words = words[-_LONGEST_CONTEXT:]

    def code(self, found: re.Match[str]) -> int:
        """A fenced block: formulas where its lines have mathematical signs."""
        fence, language = found[0][:3], found[0][3:].strip().lower()
        end = self.source.text.find("\n" + fence, found.end() - 1)
        if end < 0:
            return found.end()
        if language in ("math", "latex", "tex"):
            self.add(found.end(), end, True)
        elif language in ("", "text", "txt"):
            at = found.end()
            for line in self.source.text[at:end].split("\n"):
                if "=" in line and (not _SIGNS.isdisjoint(line) or "\\" in line):
                    self.add(at, at + len(line), True)
                at += len(line) + 1
        return end + 1 + len(fence)
