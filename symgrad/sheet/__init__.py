"""Answer sheets: a document of words and math trees, made from derivations and rendered by templates.

- ``compose.compose(problem, derivations)``: derivations to a ``document.Sheet``.
- ``render.render(sheet, format)``: a sheet to TeX or Markdown through the templates.
- ``json.json_text(problem, derivations)``: the machine-readable form.
"""
