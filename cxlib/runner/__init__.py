"""Run chapters as reports: parameters, kernels, HTML, publication. Imports no analysis.

Arrows inside go down only (`tests/unit/test_runner_cli.py` reads them):

- `cli`: the command
- `batch`: several reports side by side, published together
- `plan`, `execute`, `render`, `publish`, `index`, `manifest`, `progress`: one step of a run each
- `parameters`, `notebooks`, `kernels`, `collect`, `inert`, `errors`, `words`: what the steps are made of
"""
