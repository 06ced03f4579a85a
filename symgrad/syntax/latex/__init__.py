"""Formulas in LaTeX and in Unicode: a lexer and a grammar over the declared names, for the one parser."""
