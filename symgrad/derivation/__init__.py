"""Derivations: lines that were evaluated before they exist, and one solver for each kind of question."""
