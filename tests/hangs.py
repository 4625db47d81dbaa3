"""A test that hangs while it cleans up ends its process, with all stacks: a plugin of pytest.

pytest-timeout lets go of a test as soon as it fails, and pytest's own timer does the same.
"""

import faulthandler
import os
from collections.abc import Iterator

import pytest

TEARDOWN_SECONDS = 300.0
STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real standard error, which is another one while a test runs."""
    config.stash[STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Watch over the end of each test."""
    faulthandler.dump_traceback_later(TEARDOWN_SECONDS, exit=True, file=item.config.stash[STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
