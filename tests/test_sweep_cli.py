"""``sweeps run`` and ``sweeps promote`` as real programs: answers, exit codes, signals, terminals."""

import ctypes
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from sweeps.engines import available_cores
from tests.laws.make import write_space
from tests.shell import RIDGE, SOON, SWEEPS, TRAIN, Shell, wait_until


@pytest.mark.slow
def test_a_sweep_answers_on_stdout_and_tells_its_progress_on_stderr(shell: Shell) -> None:
    """Also: ``--json`` of show, best and promote later speak of the same sweep."""
    done = shell.run(RIDGE, "--trials", "3", "--seed", "1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    answer = done.stdout.splitlines()
    assert "rmse" in answer[0]
    assert re.search(r"^winner   trial \d: validation rmse [\d.]+, test rmse [\d.]+$", done.stdout, re.M)
    assert "model    diabetes-regressor version 1 is champion: the first version" in done.stdout
    assert re.search(r"^results  results/made-diabetes-\d{8}-\d{6} · [\d.]+ s$", done.stdout, re.M)
    assert "MLflow   sweeps ui " in done.stdout
    lines = done.stderr.splitlines()
    assert re.match(r"sweep made-diabetes-\S+ · tpe, seed 1$", lines[0])
    assert re.match(r"1 worker × \d+ threads? each · 265 train / 89 valid / 88 test rows$", lines[1])
    told = [
        re.match(r"\[(\d)/3\] trial (\d): rmse [\d.]+ in .* · best [\d.]+ \(trial \d\) · .* left$", x)
        for x in lines[2:]
    ]
    assert [(m[1], m[2]) for m in told if m] == [("1", "0"), ("2", "1"), ("3", "2")]
    assert len(lines) == 6
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.slow
def test_json_is_one_object_with_the_promised_keys(shell: Shell) -> None:
    noisy = TRAIN.replace(
        "BODY",
        """print("chatter", params)
    import sys
    sys.stdout.write("more")
    return 1 + params["x"]""",
    )
    done = shell.run(noisy, "--trials", "3", "--workers", "1", "--json", "--no-register")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {
        "sweep", "name", "experiment", "state", "trials", "best", "finalists", "test_rmse", "model",
        "seconds", "overhead", "ui",
    } <= answer.keys()  # fmt: skip
    assert answer["trials"] == {"complete": 3, "pruned": 0, "failed": 0, "lost": 0}
    assert answer["best"].keys() == {"trial", "run_id", "params", "rmse"}
    assert [f.keys() for f in answer["finalists"]] == [{"trial", "rmse", "whole_rmse", "test_rmse"}] * 3
    assert (answer["state"], answer["model"], answer["experiment"]) == ("COMPLETE", None, "diabetes")
    assert answer["best"]["rmse"] == min(f["rmse"] for f in answer["finalists"])
    assert 0 < answer["overhead"] < 1
    assert done.stderr.count("chatter") == 3


@pytest.mark.slow
def test_what_a_thread_of_the_driver_prints_does_not_mix_with_the_answer(shell: Shell) -> None:
    """As Ray prints that a worker died."""
    told = """
import threading, time
def tell():
    for _ in range(10):
        print("chatter", flush=True)
        time.sleep(0.05)
threading.Thread(target=tell, daemon=True).start()
"""
    done = shell.run(told + RIDGE, "--trials", "3", "--workers", "1", "--json", "--no-register")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == 3
    assert done.stderr.count("chatter") >= 10


@pytest.mark.slow
def test_what_a_serial_trial_prints_does_not_mix_with_the_answer(shell: Shell) -> None:
    noisy = TRAIN.replace("BODY", 'print("chatter")\n    return 1 + params["x"]')
    done = shell.run(noisy, "--trials", "2", "--engine", "serial", "--json", "--no-register")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == 2
    assert done.stderr.count("chatter") == 2


@pytest.mark.slow
def test_a_table_with_json_gives_the_model(shell: Shell) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=90), "kind": rng.choice(["a", "b"], 90)})
    frame["price"] = 3 * frame["size"] + rng.normal(size=90) / 9
    frame.to_csv(shell.folder / "houses.csv", index=False)
    space = write_space(shell.folder, RIDGE)
    done = shell(
        "run", str(space), "--table", "houses.csv", "--target", "price", "--trials", "2",
        "--engine", "serial", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    model = json.loads(done.stdout)["model"]
    assert model == {
        "name": "houses-regressor", "version": 1, "alias": "champion", "uri": "models:/houses-regressor/1"
    }  # fmt: skip


def test_a_space_without_further_points_is_said_to_be_the_end(shell: Shell) -> None:
    three = TRAIN.replace('hp.uniform("x", 0, 1)', 'hp.choice("x", [1, 2, 3])')
    body = three.replace("BODY", 'return params["x"]')
    done = shell.run(body, "--engine", "serial", "--trials", "9", "--no-register")
    assert done.returncode == 0, done.stderr
    assert "warning: the sweep ended early: all 3 points of the search space are tried" in done.stderr
    enough = shell.run(body, "--engine", "serial", "--trials", "3", "--no-register", "--name", "enough")
    assert "ended early" not in enough.stderr


@pytest.mark.slow
def test_more_threads_than_cores_are_warned_of(shell: Shell) -> None:
    cores = available_cores()
    words = "--trials", "1", "--no-register", "--workers", "1", "--threads"
    done = shell.run(RIDGE, *words, str(cores + 1))
    assert f"warning: 1 worker × {cores + 1} threads on {cores} core" in done.stderr
    assert "get in each other's way" not in shell.run(RIDGE, *words, str(cores), "--name", "fits").stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--trials", "3"], 6, r"3 of 3 trials failed; most common \(3\): .*no such luck at \S+"),
        (
            ["--trials", "9", "--max-failures", "1"],
            8,
            r"2 of 2 trials failed; most common \(2\): .*no such luck at \S+",
        ),
    ],
)
def test_failures_end_with_their_exit_code_and_one_line(
    shell: Shell, arguments: list[str], code: int, said: str
) -> None:
    body = TRAIN.replace("BODY", """raise RuntimeError(f"no such luck at {params['x']}")""")
    done = shell.run(body, "--engine", "serial", *arguments)
    assert done.returncode == code
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert re.match(rf"error: sweep made-\S+: {said} \(sweeps show [0-9a-f]{{8}}\)$", last), last
    assert "Traceback" not in done.stderr
    assert shell.sweep().info.status == "FAILED"


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        "MODEL = lambda alpha: Ridge(alpha)",
        "train = lambda params, data, report: params['alpha']",
    ],
)
def test_code_without_a_name_trains_on_workers_too(shell: Shell, model: str) -> None:
    space = "SPACE = {'alpha': hp.loguniform('alpha', -3, 0)}"
    body = f"from sklearn.linear_model import Ridge\n{model}\n{space}"
    done = shell.run(body, "--trials", "2", "--workers", "2", "--no-register", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == 2


LONG = TRAIN.replace(
    "BODY",
    """import pathlib, signal
    here = pathlib.Path(__file__).parent
    try:
        (here / "first").touch(exist_ok=False)
        return 1.0
    except FileExistsError:
        (here / f"waits-{params['x']}").touch()
        while True:
            signal.pause()""",
)


def under_way(
    shell: Shell, *arguments: str, **streams: Any
) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A sweep with one finished trial and two that never end; its worker processes."""
    process = shell.start(LONG, "--trials", "9", "--workers", "2", *arguments, **streams)
    wait_until(lambda: len(list(shell.folder.glob("waits-*"))) == 2, process)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_sweep_cleanly_and_names_what_to_do(shell: Shell, number: int, code: int) -> None:
    process, workers = under_way(shell)
    sent = time.monotonic()
    os.killpg(process.pid, number)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == code, told
    assert time.monotonic() - sent < 10
    assert not psutil.wait_procs(workers, timeout=5)[1]
    sweep = shell.sweep()
    assert (sweep.info.status, sweep.data.tags["sweeps.state"]) == ("KILLED", "INTERRUPTED")
    trials = shell.client.search_runs(["1"], "tags.`sweeps.kind` = 'trial'")
    assert sorted(t.data.tags["sweeps.state"] for t in trials) == ["COMPLETE", "LOST", "LOST"]
    assert {t.info.status for t in trials} == {"FINISHED", "FAILED"}
    assert "Traceback" not in told
    assert f"    sweeps promote {sweep.info.run_id[:8]}" in told.splitlines()
    assert list((shell.folder / "results").glob("made-*/leaderboard.csv"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "tgkill"), reason="no signals to threads here")
def test_a_signal_is_heard_whichever_thread_it_reaches(shell: Shell) -> None:
    """Python's own handlers run in the main thread, which waits for trials and is not woken by this."""
    process, _ = under_way(shell)
    aside = max(thread.id for thread in psutil.Process(process.pid).threads())
    assert aside != process.pid
    assert ctypes.CDLL(None).tgkill(process.pid, aside, signal.SIGTERM) == 0
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 143, told
    assert "interrupted: withdrawing" in told
    assert shell.sweep().data.tags["sweeps.state"] == "INTERRUPTED"


@pytest.mark.slow
def test_a_signal_ends_a_trial_in_the_driver_too(shell: Shell) -> None:
    process = shell.start(LONG, "--trials", "9", "--engine", "serial")
    wait_until(lambda: list(shell.folder.glob("waits-*")), process)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    trials = shell.client.search_runs(["1"], "tags.`sweeps.kind` = 'trial'")
    assert sorted(t.data.tags["sweeps.state"] for t in trials) == ["COMPLETE", "LOST"]
    assert shell.sweep().data.tags["sweeps.state"] == "INTERRUPTED"


@pytest.mark.slow
def test_a_second_signal_quits_at_once(shell: Shell) -> None:
    process, workers = under_way(shell)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("once more to quit" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert not psutil.wait_procs(workers, timeout=5)[1]
    assert shell.sweep().data.tags["sweeps.state"] == "INTERRUPTED"


@pytest.mark.slow
def test_what_an_interrupted_sweep_says_to_type_works(shell: Shell) -> None:
    process = shell.start(RIDGE, "--trials", "100000", "--workers", "1", "--seed", "1")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[3/"):
            break
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 130
    command = next(x.split() for x in told.splitlines() if x.startswith("    sweeps promote "))
    late = shell(*command[1:], "--json")
    assert late.returncode == 0, late.stderr
    answer = json.loads(late.stdout)
    assert answer["model"]["uri"] == "models:/diabetes-regressor/1"
    assert answer["state"] == "INTERRUPTED"
    assert len(answer["finalists"]) >= 3


def shown_on_a_terminal(shell: Shell, start: list[str], *words: str, term: str) -> str:
    """Run a sweep of four trials whose stderr is a terminal; give all that is written there."""
    space = write_space(shell.folder, RIDGE)
    fixed = ("run", str(space), "--data", "diabetes", "--trials", "4", "--seed", "1", "--no-register")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*start, *fixed, *words], cwd=shell.folder, env={**shell.env, "TERM": term}, text=True,
        stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    shell.started.append(process)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], SOON)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:  # what Linux gives when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    answer, _ = process.communicate(timeout=SOON)
    assert process.returncode == 0, shown
    assert "\x1b" not in answer
    return shown.decode().replace("\r\n", "\n")


TOLD = r"\[(\d)/4\] trial (\d): rmse [\d.]+ in .* · best [\d.]+ \(trial \d\) · .* left"
"""The line of a trial."""


@pytest.mark.slow
def test_on_a_terminal_there_is_a_live_view(shell: Shell) -> None:
    text = shown_on_a_terminal(shell, SWEEPS, "--workers", "1", term="xterm")
    assert "4/4" in text
    assert "\x1b[" in text
    assert re.search(r"rmse [\d.]+\S*  trial \d, ", text)
    assert re.search(r"4 trials in .*: 4 complete", text)
    assert "trial 0: rmse" not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "term"),
    [([], "dumb"), (["--plain", "--verbose"], "xterm")],
    ids=["dumb", "plain and verbose"],
)
def test_on_a_terminal_there_are_plain_lines_if_asked_for(
    shell: Shell, forked: list[str], words: list[str], term: str
) -> None:
    text = shown_on_a_terminal(shell, [*forked, "sweeps"], "--engine", "serial", *words, term=term)
    assert "\x1b" not in text
    assert "\r" not in text
    assert re.findall(rf"^{TOLD}$", text, re.MULTILINE) == [(str(n + 1), str(n)) for n in range(4)]
    assert len(re.findall(r"^    alpha=[\d.]+$", text, re.MULTILINE)) == (4 if "--verbose" in words else 0)


@pytest.mark.slow
def test_verbose_leaves_every_trial_with_its_params_above_the_live_view(
    shell: Shell, forked: list[str]
) -> None:
    text = shown_on_a_terminal(
        shell, [*forked, "sweeps"], "--engine", "serial", "--verbose", term="xterm-256color"
    )
    assert "\x1b[" in text
    lines = re.findall(rf"{TOLD}\x1b\[K\n    alpha=[\d.]+\x1b\[K\n", text)
    assert [number for _, number in lines] == list("0123")


@pytest.mark.slow
def test_verbose_tells_the_params_of_every_trial_in_a_pipe_too(shell: Shell) -> None:
    done = shell.run(RIDGE, "--trials", "2", "--engine", "serial", "--no-register", "--json", "--verbose")
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^\[(\d)/2\] trial \d: rmse .*\n    alpha=([\d.]+)$", done.stderr, re.MULTILINE)
    assert [number for number, _ in told] == ["1", "2"]
    best = json.loads(done.stdout)["best"]
    assert float(told[best["trial"]][1]) == pytest.approx(best["params"]["alpha"], rel=1e-3)


@pytest.mark.slow
def test_no_cache_keeps_nothing_of_the_data(shell: Shell) -> None:
    cache = shell.folder / "cache"
    shell.env["SWEEPS_CACHE_DIR"] = str(cache)
    quick = ("--engine", "serial", "--quiet")
    done = shell.run(RIDGE, "--trials", "1", "--no-register", "--name", "cut", *quick, "--no-cache")
    assert done.returncode == 0, done.stderr
    done = shell("resume", "cut", "--trials", "2", *quick, "--no-cache")
    assert done.returncode == 0, done.stderr
    assert kept_of_data(cache) == []
    done = shell("resume", "cut", "--trials", "3", *quick)
    assert done.returncode == 0, done.stderr
    assert "rows" in kept_of_data(cache)


def kept_of_data(cache: Path) -> list[str]:
    """What kinds of entries a cache holds; a template of the store lies there, too."""
    kinds = (path.name.partition("-")[0] for path in cache.iterdir())
    return sorted(kind for kind in kinds if kind in ("encoded", "rows"))


@pytest.mark.slow
def test_quiet_shows_no_progress(shell: Shell) -> None:
    done = shell.run(RIDGE, "--trials", "2", "--engine", "serial", "--quiet", "--no-register")
    assert done.returncode == 0
    assert "trial 0" not in done.stderr
    assert "model" not in done.stdout.split()
