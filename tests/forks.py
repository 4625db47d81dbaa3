"""Runs commands in children of one process that has imported everything, so that each costs no imports.

A command is a program with its own streams, folder, environment and exit code all the same; what it imports,
and how fast it starts, is for tests that start real processes. ``python forks.py serve SOCKET`` serves;
``python forks.py call SOCKET sweeps WORD…``, or ``… python CODE``, is the program. A fork is safe: nothing
has run yet but imports.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
STREAMS = (0, 1, 2)


@contextmanager
def forks(folder: Path) -> Iterator[list[str]]:
    """Run the process that forks; give the words a command line begins with."""
    path = folder / "forks.socket"
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", str(path)],
        env={**env, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, cwd=folder, start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    try:
        yield [sys.executable, "-S", "-E", __file__, "call", str(path)]
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # with the commands that still run
        server.communicate(timeout=30)


def call(path: str, words: list[str]) -> int:
    """Have a command run with this process's streams, folder and environment; give its exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        message = json.dumps([words, str(Path.cwd()), dict(os.environ)]).encode()
        socket.send_fds(server, [len(message).to_bytes(8, "big")], STREAMS)
        server.sendall(message)
        answer = server.recv(1)
    return answer[0] if answer else 255


def serve(path: str) -> None:
    """Fork a child for each call, until whoever began this is gone."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(8)
        _import()
        os.write(1, b"ready\n")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while 0 not in select.select([0, listening], [], [])[0]:
            client, _ = listening.accept()
            with client:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    listening.close()
                    _child(client)


def _import() -> None:
    """Import what commands import, as late as they do."""
    from importlib import import_module

    from sweeps.cli.main import COMMANDS
    from sweeps.tracking.quiet import quiet

    quiet()
    heavy = """
        matplotlib.backends.backend_agg matplotlib.figure mlflow mlflow.pyfunc mlflow.sklearn pyarrow.parquet
        rich.progress sklearn.ensemble sklearn.linear_model skops.io sweeps.api.session sweeps.api.promote
        sweeps.api.resume sweeps.report.plots xgboost
    """
    for module in (*(home for home, _ in COMMANDS.values()), *heavy.split()):
        import_module(module)


def _child(client: socket.socket) -> None:
    code = 1
    try:
        length, streams, _, _ = socket.recv_fds(client, 8, len(STREAMS))
        words, folder, environment = json.loads(_received(client, int.from_bytes(length, "big")))
        threading.Thread(target=_end_with_caller, args=(client,), daemon=True).start()
        for source, target in zip(streams, STREAMS, strict=True):
            os.dup2(source, target)
            os.close(source)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        code = _exit_code(lambda: _run(words))
    finally:
        _end(client, code)


def _end_with_caller(client: socket.socket) -> None:
    """Whoever waits for the command may be killed, after its time limit for example."""
    client.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _received(client: socket.socket, length: int) -> bytes:
    text = b""
    while len(text) < length:
        text += client.recv(length - len(text))
    return text


def _run(words: list[str]) -> None:
    what, *rest = words
    if what == "sweeps":
        from sweeps.cli.main import main

        sys.path[0], sys.argv = str(Path(sys.executable).parent), ["sweeps", *rest]
        main()
    else:
        sys.path[0], sys.argv = "", ["-c"]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as python -c


def _exit_code(run: Callable[[], None]) -> int:
    """Run; give the exit code an interpreter would end with."""
    try:
        run()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    except BaseException:  # noqa: BLE001 - as an interpreter does
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    return 0


def _end(client: socket.socket, code: int) -> None:
    import atexit

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    client.sendall(bytes([code]))
    os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[2], sys.argv[3:]))
