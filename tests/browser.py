"""Pages in headless Chromium: many in one process, each in a frame as wide as a phone or a screen."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
PHONE, SCREEN = 390, 1280
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=30000", "--dump-dom",
)  # fmt: skip


def run(pages: Mapping[str, str], script: str, width: int, folder: Path, library: str = "") -> dict[str, Any]:
    """What a script, the body of an async function of ``document``, finds in each page.

    The page's own policy is kept out of the way of the script; ``library`` is loaded into every page before it.
    """
    frames = "".join(
        f'<iframe id="{escape(name)}" style="width:{width}px;height:900px;border:0"'
        f' srcdoc="{escape(_with_library(page, library))}"></iframe>'
        for name, page in pages.items()
    )
    probe = (
        f"async function probe(document, window) {{ {script} }}\n"
        "addEventListener('load', async () => { const found = {};\n"
        "for (const f of document.querySelectorAll('iframe'))"
        " found[f.id] = await probe(f.contentDocument, f.contentWindow);\n"
        "const out = document.createElement('pre'); out.id = 'found'; out.textContent = JSON.stringify(found);\n"
        "document.body.replaceChildren(out); })"
    )
    target = folder / f"pages-{width}.html"
    target.write_text(f"<!doctype html><meta charset='utf-8'><body>{frames}<script>{probe}</script></body>")
    command = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900", str(target)]
    done = subprocess.run(command, capture_output=True, timeout=180, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found is not None, done.stderr.decode()[-2000:]
    made: dict[str, Any] = json.loads(unescape(found[1]))
    return made


def _with_library(page: str, library: str) -> str:
    free = re.sub(r"<meta http-equiv[^>]*>", "", page)
    return free.replace("</body>", f"<script>{library}</script></body>") if library else free
