"""Real clusters for tests: schedulers and workers in processes of their own, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = {"dask": "distributed", "ray": "ray", "spark": "pyspark"}
"""Engines on clusters, and the package each is made with."""
HERE_AS = {"dask": "dask", "ray": "ray", "spark": "local[2]"}
"""What to type for one that is started on this machine for the sweep."""
THREADS = 3
"""Of each worker."""
SOON = 60


def marks(engine):
    """What holds for all tests of an engine on a cluster."""
    reason = f"{PACKAGES[engine]} is not installed (pip install '.[{engine}]')"
    no_java = engine == "spark" and not (os.environ.get("JAVA_HOME") or shutil.which("java"))
    return [
        pytest.mark.slow,
        pytest.mark.skipif(find_spec(PACKAGES[engine]) is None, reason=reason),
        pytest.mark.skipif(no_java, reason="Java is not installed (apt-get install default-jre-headless)"),
    ]


class Programs:
    """Starts programs, each in a process group of its own, with a folder of theirs as the current one."""

    def __init__(self, folder):
        self.folder, self._started = folder, []
        folder.mkdir(exist_ok=True)

    def start(self, *words, before=(), **env):
        """Run Python with these words, which stand after those of another program if there is one."""
        path = os.pathsep.join([str(HERE), str(ROOT)])
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*before, sys.executable, *words],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def wait_for_port(self, port):
        """Wait until one of them listens."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if any(process.poll() for process in self._started):
                break
            time.sleep(0.05)
        pytest.fail(f"nobody listens: {(self.folder / 'log').read_text()[-3000:]}")

    def kill(self, process):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self):
        for process in reversed(self._started):
            self.kill(process)


class Dask(Programs):
    """A scheduler, and workers as they are wanted."""

    def __init__(self, folder, port, host="127.0.0.1"):
        super().__init__(folder)
        self.address, self._port = f"127.0.0.1:{port}", port
        self.url = f"dask://{self.address}"
        where = ["--host", host, "--port", str(port), "--no-dashboard"]
        self.scheduler = self.start("-m", "distributed.cli.dask_scheduler", *where)
        self.wait_for_port(port)

    def wait_for_workers(self, number):
        """Wait until the scheduler knows so many."""
        from distributed import Client

        with Client(self.address, timeout=SOON) as client:
            client.wait_for_workers(number, timeout=SOON)

    def worker(self, *words, start=("-m", "distributed.cli.dask_worker"), threads=THREADS, host=None, **env):
        """Start a worker, here or on a host of its own; nobody replaces it."""
        address = f"{host.driver}:{self._port}" if host else self.address
        where = ["--host", host.address if host else "127.0.0.1"]
        where += ["--no-dashboard", "--no-nanny", "--local-directory", str(self.folder)]
        words = [*start, address, *where, "--nthreads", str(threads), *words]
        return self.start(*words, before=host.enter if host else (), **env)


class Ray(Programs):
    """A head node with its client server, and nodes on hosts of their own: several of one host may not join.

    Args:
        port: of the cluster.
        client_port: of the client server.
        threads: of the head.
        token: that it wants, if any.
        address: of the head, where its nodes see it.
    """

    THREADS = 6
    """Two engines at once have room."""

    def __init__(self, port, client_port, threads=THREADS, token="", address="127.0.0.1"):
        # not in pytest's folder: the names of Ray's sockets would be too long
        super().__init__(Path(tempfile.mkdtemp(prefix="ray-")))
        self.url = f"ray://127.0.0.1:{client_port}"
        ports = f"--port={port}", f"--ray-client-server-port={client_port}"
        fixed = f"--temp-dir={self.folder / 'ray'}", "--include-dashboard=false", "--disable-usage-stats"
        words = *ports, *fixed, f"--num-cpus={threads}", f"--node-ip-address={address}"
        # else it depends on whether this user's home has a token already, which --engine ray leaves there
        who = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token} if token else {"RAY_AUTH_MODE": "disabled"}
        self._who, self._port = who, port
        self.start("-m", "ray.scripts.scripts", "start", "--head", "--block", *words, **who)
        self.wait_for_port(client_port)

    def node(self, host, threads=1):
        """Start a node on a host of its own."""
        words = f"--address={host.driver}:{self._port}", f"--node-ip-address={host.address}", "--block"
        sizes = f"--num-cpus={threads}", "--disable-usage-stats"
        script = "-m", "ray.scripts.scripts", "start"
        return self.start(*script, *words, *sizes, before=host.enter, **self._who)

    def kill_all(self):
        """End it, and all that Ray started beside in sessions of its own: the next one takes its ports."""
        programs = [psutil.Process(process.pid) for process in self._started if process.poll() is None]
        beside = [child for program in programs for child in program.children(recursive=True)]
        for process in reversed(self._started):
            process.terminate()
        for one in psutil.wait_procs([*programs, *beside], SOON)[1]:
            one.kill()
        super().kill_all()
        shutil.rmtree(self.folder, ignore_errors=True)


class Spark(Programs):
    """A standalone master, and workers as they are wanted."""

    THREADS = 4
    """Of each worker: two applications at once have room."""

    def __init__(self, folder, port):
        super().__init__(folder)
        self.url = f"spark://127.0.0.1:{port}"
        self.master = self._java("master.Master", "--host", "127.0.0.1", "--port", str(port))
        self.wait_for_port(port)

    def worker(self, threads=THREADS, **env):
        """Start a worker; its executors run the Python of these tests."""
        room = "--cores", str(threads), "--memory", "4g", "--work-dir", str(self.folder / "work")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return self._java("worker.Worker", "--host", "127.0.0.1", *room, self.url, PATH=path, **env)

    def _java(self, name, *words, **env):
        """Start a part of Spark by its own program, which is a script of the shell."""
        program = str(Path(find_spec("pyspark").origin).parent / "bin" / "spark-class")
        run = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
        words = f"org.apache.spark.deploy.{name}", "--webui-port", "0", *words
        return self.start("-c", run, program, *words, SPARK_LOCAL_IP="127.0.0.1", **env)
