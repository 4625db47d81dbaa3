"""Waiting for futures: an interrupt is heard, wherever and whenever it comes."""

import signal
import threading
from concurrent.futures import Future

import pytest

from sweeps.waiting import wait_for_first


def test_those_that_are_done_are_given() -> None:
    done, other = Future[int](), Future[int]()
    done.set_result(1)
    assert wait_for_first([other, done]) == {done}
    other.set_exception(KeyError())
    assert wait_for_first([other, done]) == {done, other}


def test_one_that_is_done_meanwhile_is_given() -> None:
    late, never = Future[int](), Future[int]()
    threading.Timer(0.2, late.set_result, (1,)).start()
    assert wait_for_first([never, late]) == {late}


def test_an_interrupt_that_reaches_another_thread_is_heard() -> None:
    """The main thread, whose handler raises, is not woken by it."""
    over = threading.Event()
    aside = threading.Thread(target=over.wait)
    aside.start()
    assert aside.ident is not None
    threading.Timer(0.2, signal.pthread_kill, (aside.ident, signal.SIGINT)).start()
    never = Future[int]()
    giving_up = threading.Timer(10.0, never.set_result, (1,))
    giving_up.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            wait_for_first([never])
        assert not never.done(), "it was heard only after the wait"
    finally:
        giving_up.cancel()
        over.set()
