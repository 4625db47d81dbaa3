"""Writes what the documents take from the code: ``python -m docs.generate``.

``docs/reference.md`` comes from commands, signatures and docstrings; the answers in the pages that are walked
through come from running them (``--outputs``). Nothing here is installed with the package.
"""
