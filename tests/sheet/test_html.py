"""Sheets as HTML: well formed, nothing loaded, nothing run but what the policy names; in Chromium, too."""

import base64
import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, PHONE, SCREEN, run

import symgrad
from symgrad.api import SolvedSheet

VOID = {"meta", "br", "hr", "img", "link"}
AXE = next(
    (p for p in (os.environ.get("AXE", ""), "node_modules/axe-core/axe.min.js") if p and Path(p).is_file()), None
)


class Reader(HTMLParser):
    """Checks that every element is closed, and collects ids and links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [] if tag in VOID else [tag]
        self.attributes |= {name for name, _ in attrs}
        self.ids += [str(v) for name, v in attrs if name == "id"]
        self.links += [str(v) for name, v in attrs if name in ("href", "src")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module", params=["here", "gated_rnn", "residual"])
def page(request: pytest.FixtureRequest, solved: SolvedSheet) -> str:
    return (solved if request.param == "here" else symgrad.load(request.param).solve()).text("html")


def test_every_element_is_closed_and_every_link_leads_somewhere(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {x[1:] for x in reader.links if x.startswith("#")} <= set(reader.ids)
    assert all(x.startswith(("#", "https://example.org/")) for x in reader.links)
    assert not {a for a in reader.attributes if a.startswith("on") or a == "style"}


def test_the_policy_names_the_style_and_the_script(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for element in ("style", "script"):
        content = re.search(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]


def test_what_it_says(solved: SolvedSheet) -> None:
    text = solved.text("html")
    assert "<h1>Layers &amp; 50% of_it</h1>" in text
    assert '<h3 id="e2">' in text
    assert '<annotation encoding="application/x-tex">\\frac{\\partial E_2}{\\partial W}</annotation>' in text
    assert 'data-latex="\\begin{aligned}' in text
    assert "<details open>" in text
    assert '<p class="failed"><strong>Not answered.</strong>' in text


def test_texts_of_authors_are_texts() -> None:
    problem = symgrad.load(
        "title: <script>alert(1)</script>\nabout: '<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b** $x<y$'\n"
        "symbols: {x: {shape: n, about: '<b>'}}\nmodel: [e = x.T @ x]\n"
        "questions: [{id: g, ask: derivative, of: e, wrt: x, note: '</script><script>', hint: '<i>'}]\n"
    )
    text = problem.solve().text("html")
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "javascript:" not in re.sub(r"&lt;.*?&gt;", "", text) or 'href="javascript' not in text
    assert "<strong>b</strong>" in text


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.skipif(
    AXE is None, reason="axe-core is not installed: npm install axe-core, or name its axe.min.js in AXE"
)
@pytest.mark.parametrize("width", [PHONE, SCREEN])
def test_nothing_stands_in_the_way_of_a_screen_reader(solved: SolvedSheet, tmp_path: Path, width: int) -> None:
    """No serious finding of axe-core: names, contrast, landmarks, order of headings."""
    pages = {"here": solved.text("html"), "gated_rnn": symgrad.load("gated_rnn").solve().text("html")}
    script = "return (await window.axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])"
    found = run(pages, script, width, tmp_path, Path(str(AXE)).read_text())
    assert [v for violations in found.values() for v in violations if v[0] in ("serious", "critical")] == []
