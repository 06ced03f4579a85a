"""What a process costs from its start to its end."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

MOST_OF_SYMPY = 3.0
HEAVY = ("sympy", "numpy", "jinja2", "markdown_it", "ruamel", "mpmath")


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["verify", "--help"], ["check", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from symgrad.cli import main\n"
        f"try: main({arguments})\n"
        "except SystemExit: pass\n"
        f"found = sorted(set({HEAVY}) & set(sys.modules))\n"
        "sys.exit(f'imported: {found}' if found else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sheet_costs_few_imports_of_sympy(compare_processes: Callable[..., float]) -> None:
    # Both start from bytecode, as installed packages do.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ours = [sys.executable, "-m", "symgrad", "solve", "lstm", "--format", "tex"]
    subprocess.run(ours, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120)
    ratio = compare_processes("solve lstm / import sympy", ours, [sys.executable, "-c", "import sympy"], environment)
    assert ratio < MOST_OF_SYMPY
