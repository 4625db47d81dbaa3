"""What crosses between a driver and the processes that run its tasks: pickles, by ways of their own."""

import pickle
from collections.abc import Callable
from typing import Any

from sweeps.engines.base import TaskError, told
from sweeps.shared import Places


def pack(fn: Callable[[Any], Any], task: Any, heard: bool, places: Places) -> bytes:
    """Pack a task for a process.

    Args:
        fn: what to run.
        task: what it is given.
        heard: whether what it says in passing is to be sent back.
        places: where files of the driver lie there.

    Raises:
        TaskError: it cannot be pickled.
    """
    try:
        return pickle.dumps((fn, task, heard, dict(places)))
    except Exception as error:
        raise TaskError(f"the task cannot be sent to a process: {told(error)}") from error


def unpack(returned: bytes) -> Any:
    """Give what a process returned.

    Raises:
        TaskError: the function raised, or what it returned cannot be read here.
    """
    try:
        good, value = pickle.loads(returned)  # noqa: S301  # from our own process, over a link only we have
    except Exception as error:
        raise TaskError(f"the result cannot be read: {told(error)}") from error
    if not good:
        raise TaskError(value)
    return value


def words(said: bytes) -> Any:
    """Give what a task said in passing."""
    return pickle.loads(said)  # noqa: S301  # as above


def request(fn: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """Pack a call for the function that ``relay`` gives."""
    return pickle.dumps((fn, args))


def relay() -> Callable[[bytes], bytes]:
    """Give the function that a cluster carries to its workers, to make calls there.

    It is made here, inside another function, so that it travels as code: a scheduler that unpacks what it
    passes on need not have ``sweeps``, and a worker that lacks it can say so.
    """

    def sweeps_relay(message: bytes) -> bytes:
        import pickle

        try:
            fn, args = pickle.loads(message)  # noqa: S301  # whoever may call workers may run code there
            return pickle.dumps((True, fn(*args)))
        except Exception as error:  # noqa: BLE001  # text crosses the wire, not exceptions
            return pickle.dumps((False, f"{type(error).__name__}: {error}"))

    return sweeps_relay
