"""Programs that some tests need."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip a test whose program is not installed; fail where ``CI`` says that all of them must be."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, though .ci/run installs it")
    pytest.skip(what)
