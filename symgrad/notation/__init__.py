"""How expressions are written: one math tree, read from an expression and printed in every output format.

- ``read.read(expr, style)``: an expression to a ``tree.Tree``, with brackets by one precedence table.
- ``latex.latex(tree)`` and ``plain.plain(tree)``: a tree to LaTeX, and to Unicode text for a terminal.
- ``source.source(expr)``: an expression in the problem language, which can be parsed again.
- ``breaking.fit(tree, width)``: a long formula over several lines.
- ``style.Style``: names, aliases and the layout convention; ``names.Names``: how declared names print.
- ``layout.oriented(expr, layout)``: a side of an equation in a layout convention.
- ``tokens.latex_tokens(text)``: the LaTeX tokens of a formula, to measure its length.
"""
