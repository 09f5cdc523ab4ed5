"""Run chapters as reports: parameters, kernels, HTML, publication. Imports no analysis.

Arrows inside go down only (`tests/unit/runner/test_cli.py` reads them):

- `cli`: the command
- `open_notebook`: a working notebook for JupyterLab, and what it does there
- `batch`: several reports side by side, published together
- `plan`, `execute`, `render`, `publish`, `index`, `manifest`, `progress`: one step of a run each
- `parameters`, `notebooks`, `fill_in`, `kernels`, `collect`, `inert`, `errors`, `words`, `private_file`: what
  the steps are made of
"""
