"""Hyperparameter sweeps for tabular regression on MLflow."""
