"""Run chapters as reports: parameters, kernels, HTML, publication. Imports no analysis.

Arrows inside go down only: cli → batch → execute, publish → parameters, notebooks, kernels, collect, render,
index, progress → errors, words.
"""
