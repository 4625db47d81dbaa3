"""Recorded search spaces: real trials with their whole curves, to be looked up instead of trained.

``python -m benchmarks.recorded.record`` made the files; ``load`` opens one.
"""
