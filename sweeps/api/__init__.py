"""Joins the parts: a sweep from its settings to the registered model. For the command line and for Python."""
