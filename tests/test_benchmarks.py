"""The benchmarks: their tables and arithmetic, and each command in a tiny run of our own contender."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import Contender, able, turned
from benchmarks.idle import covered, idle
from benchmarks.kill_storm import TRIALS, judged, most_in_vain, without_finals
from benchmarks.marks import read_marks
from benchmarks.processes import Ran
from benchmarks.races import Race, arrival_text, arrivals, median_best, own_best, pace, slower, targets
from benchmarks.scale import Scale, growth
from benchmarks.stores import Logged, best_so_far
from benchmarks.storm import work
from benchmarks.storm.contenders import End
from benchmarks.table import Table, figure, publish, spread

ROOT = Path(__file__).parents[1]


# tables


def test_a_table_is_published_as_text_markdown_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table("Costs", ["who", "ms"], [["ours", 1.2345], ["a|b", "9.9 (9.1 – 12)"]], ["less is better"])
    arguments = ["--trials", "5", "--out", str(tmp_path)]
    page = publish(
        "overhead", "What it costs.", [table], {"ours": 1.2345}, folder=tmp_path, arguments=arguments
    )
    text = page.read_text()
    assert "| ours | 1.23 |\n| a\\|b | 9.9 (9.1 – 12) |\n\n- less is better" in text
    assert "| --- | ---: |" in text, "figures stand to the right"
    assert "python -m benchmarks.overhead --trials 5\n" in text, "the place it went to is nobody's business"
    assert "- versions: sweeps " in text
    assert "- cores: " in text
    document = json.loads((tmp_path / "overhead.json").read_text())
    assert document["raw"] == {"ours": 1.2345}
    assert document["tables"][0]["rows"][0] == ["ours", 1.2345]
    printed = capsys.readouterr().out
    assert "ours" in printed
    assert "1.23" in printed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00123456, "0.00123"),
        (0.5, "0.500"),
        (12.345, "12.3"),
        (123456.7, "123457"),
        (-1.5, "-1.50"),
    ],
)
def test_figures_have_three_digits_and_no_powers_of_ten(value: float, text: str) -> None:
    assert figure(value) == text


def test_repeats_are_told_by_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 – 3.00)"
    assert spread([3.0]) == "3.00"
    assert spread([]) == "–"


# who takes part


def test_a_contender_whose_package_is_missing_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"peer": Contender("peer", "peer", needs=("no_such_package",)), "ours": Contender("ours", "ours")}
    assert list(able(known, None)) == ["ours"]
    said = capsys.readouterr().err
    assert said == "skipped peer: no_such_package not installed (pip install -e '.[peers]')\n"


def test_nobody_left_or_nobody_known_is_an_error() -> None:
    known = {"peer": Contender("peer", "peer", needs=("no_such_package",))}
    with pytest.raises(SystemExit, match="none of these"):
        able(known, "peer")
    with pytest.raises(SystemExit, match="no contender pear; known: peer"):
        able(known, "peer,pear")


def test_everybody_is_first_once() -> None:
    assert [turned(["a", "b", "c"], by) for by in range(3)] == [list("abc"), list("bca"), list("cab")]


# processes

DETACHED = """
import os, subprocess, sys
child = "import time\\nwhile time.process_time() < 0.5: pass\\nprint('spun', flush=True)\\ntime.sleep(600)"
orphan = subprocess.Popen([sys.executable, "-c", child], start_new_session=True, stdout=subprocess.PIPE)
orphan.stdout.readline()
print(orphan.pid)
"""
HARNESS = """
import sys
from pathlib import Path
from benchmarks.processes import run
ran = run([sys.executable, "-c", sys.argv[1]], Path.cwd(), limit=60, every=0.05)
print(ran.stopped, ran.cpu_seconds)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot adopt the orphans it caused")
def test_what_a_contender_leaves_behind_is_counted_and_ended(tmp_path: Path) -> None:
    stopped, cpu_seconds = python("-c", HARNESS, DETACHED, folder=tmp_path).stdout.split()
    orphan = int((tmp_path / "output.txt").read_text())
    assert stopped == "False"
    assert float(cpu_seconds) >= 0.5
    assert not Path(f"/proc/{orphan}").exists()


def test_one_that_goes_on_is_stopped_and_one_that_fails_is_told(tmp_path: Path) -> None:
    forever = HARNESS.replace("limit=60", "limit=0.2")
    assert python("-c", forever, "import time; time.sleep(600)", folder=tmp_path).stdout.startswith("True")
    failed = python("-c", HARNESS, "raise SystemExit('no such luck')", folder=tmp_path, code=1)
    assert "exit code 1" in failed.stderr
    assert "no such luck" in failed.stderr


def test_cpu_time_between_samples_is_in_proportion() -> None:
    ran = Ran(False, 100.0, 3.0, 4.0, [(101.0, 1.0), (103.0, 4.0)])
    assert [ran.cpu_at(moment) for moment in (99, 100.5, 101, 102, 103, 104)] == [0, 0.5, 1, 2.5, 4, 4]


def test_the_earliest_mark_counts(tmp_path: Path) -> None:
    (tmp_path / "marks.txt").write_text("start 12.5\nstart 11.5\nend 14.0\n")
    assert read_marks(tmp_path / "marks.txt") == {"start": 11.5, "end": 14.0}


# what the figures are made of


def test_idle_time_is_what_no_fit_covers() -> None:
    assert covered([(0, 2), (1, 3), (5, 6), (5.2, 5.8)]) == 4
    trials = [Logged(10, 14, "FINISHED", 1.0, 3.0), Logged(10, 20, "FINISHED", 1.0, 4.0)]
    shares = idle("made", 2, trials, 20.0)
    assert shares.seconds == 10
    assert shares.none_trains == pytest.approx(0.3)
    assert shares.slot_idle == pytest.approx(1 - 7 / 20)
    assert shares.none_trains_of_all == pytest.approx(1 - 7 / 20)


def test_only_trials_that_ended_with_an_rmse_count() -> None:
    trials = [
        Logged(100, 104, "FINISHED", 6.0, None),
        Logged(101, 103, "KILLED", 5.0, None),
        Logged(101, None, "RUNNING", 5.5, None),
        Logged(102, 105, "FAILED", None, None),
        Logged(103, 107, "FINISHED", 6.5, None),
        Logged(104, 109, "FINISHED", 5.75, None),
    ]
    assert best_so_far(trials, started=99) == [(5, 6.0), (10, 5.75)]


def made(contender: str, seed: int, *series: tuple[float, float]) -> Race:
    return Race(contender, seed, "made", 10, 600, 1100, 20, series, {})


RACES = [
    made("ours", 1, (30, 6.0), (60, 5.0)),
    made("ours", 2, (20, 5.5), (100, 5.01)),
    made("ours", 3, (40, 5.9)),
    made("peer", 1, (240, 5.04)),
    made("peer", 2, (500, 5.2)),
    made("peer", 3, (80, 5.0)),
]


def test_targets_stand_above_the_best_that_anybody_found() -> None:
    assert targets(RACES, 0.1) == pytest.approx({1: 5.5, 2: 5.511, 3: 5.5})
    wanted = targets(RACES, 0.01)
    assert arrivals(RACES, "ours", wanted) == [60, 100, math.inf]
    assert arrivals(RACES, "peer", wanted) == [240, math.inf, 80]


def test_arrivals_are_told_by_median_and_range() -> None:
    assert arrival_text([60, 100, math.inf], 600) == "100 (60 – > 600)"
    assert arrival_text([math.inf, math.inf], 600) == "> 600"
    assert arrival_text([], 600) == "–"


def test_factors_say_where_they_are_bounds() -> None:
    wanted = targets(RACES, 0.01)  # 240 / 60, more than 600 / 100, less than 80 / 600
    assert str(slower(RACES, "peer", "ours", wanted)) == "4.0"
    assert str(slower(RACES[1:2] + RACES[4:5], "peer", "ours", wanted)) == "> 6.0"
    assert str(slower(RACES[2:3] + RACES[5:], "peer", "ours", wanted)) == "< 0.13"
    assert slower(RACES, "peer", "ours", dict.fromkeys((1, 2, 3), 1.0)) is None
    assert own_best([made("peer", 1), made("peer", 2, (1, 5.0))], "peer") == {1: -math.inf, 2: 5.0}


def test_best_at_equal_time() -> None:
    assert median_best(RACES, "ours", 0.1) == [5.0, 5.5, 5.9]
    assert median_best(RACES, "peer", 0.25) == [5.0], "the others had nothing yet"
    assert pace(RACES, "ours") == 2


def test_growth_is_told_from_the_shortest_sweep_to_the_longest() -> None:
    short = Scale(100, 10.0, 5.0, 1.0, 300, 300)
    long = Scale(10_000, 11.0, 6.0, 60.0, 400, 400)
    # The machine was three times as slow in the last turn, which says nothing of the sweeps.
    further = {100: [8.0, 10.0, 30.0], 10_000: [12.0, 12.0, 45.0]}
    assert growth([short, long], further) == [
        "A trial after 10000 costs 1.50 (1.20 – 1.50) times one after 100 in its turn, an ask 1.20 times."
    ]
    assert growth([short], further) == []


def test_a_storm_is_judged_by_what_was_acknowledged(tmp_path: Path) -> None:
    kept = [(float(n), 0.0, work.figure(n, 0)) for n in range(TRIALS)]
    for x, y, value in kept:
        work.note(work.STARTS, [x, y], tmp_path)
        work.note(work.ACKS, [x, y, value, x + 1], tmp_path)
    fine = judged("ours", [5, 9, 9], (2, 0), tmp_path, End(kept, 0), kept, 0.0)
    assert (fine.lost, fine.twice, fine.zombies, fine.wrong_sequence, fine.repeated) == (0, 0, 0, False, 0)
    assert (fine.kills, fine.hits, fine.errors, fine.most_repeated) == (3, 2, 0, 0)
    work.note(work.STARTS, [0.0, 0.0], tmp_path)
    odd = [*kept[1:], kept[1], (7.5, 0.0, -1.0)]
    bad = judged("ours", [TRIALS, TRIALS + 1], (2, 0), tmp_path, End(odd, 2), kept, 0.0)
    assert (bad.lost, bad.twice, bad.zombies, bad.wrong_sequence, bad.repeated) == (2, 2, 2, True, 1)


def test_work_in_vain_is_counted_between_one_kill_and_the_next() -> None:
    a, b, c, d = ((float(n), 0.0) for n in range(4))
    kept = [(*point, 0.0) for point in (a, b, c, d)]
    assert most_in_vain([a, b, c, d], kept, [2, 4]) == 0
    assert most_in_vain([a, b, b, c, d], kept, [2]) == 1, "b was under way when the driver was killed"
    assert most_in_vain([a, b, c, b, c, b, c, d], kept, [3, 5]) == 2, "two slots, twice"
    assert most_in_vain([a, b, a, b, c, d], kept, [2, 2, 2]) == 2, "lost work counts for the kill after it"
    other = (9.0, 9.0)
    assert most_in_vain([a, other, b, c, d], kept, [2]) == 1, (
        "another point in place of the one that was lost"
    )


def test_a_finalist_that_is_trained_once_more_is_no_repeated_trial() -> None:
    a, b, c = ((float(n), 0.0) for n in range(3))
    best_is_a, best_is_c = ([(*point, value) for point in (a, b, c)] for value in (1.0, 1.0))
    best_is_a[0], best_is_c[2] = (*a, 0.0), (*c, 0.0)
    told = [(*a, 0.0, 1.0), (*b, 1.0, 2.0), (*c, 0.0, 4.0)]
    assert without_finals([a, b, b, c, a, a], best_is_a, told) == [a, b, b, c]
    assert without_finals([a, b, b, c, a], best_is_a, []) == [a, b, b, c], "kept by a kill, told to nobody"
    assert without_finals([a, b, c, c, c], best_is_c, told) == [a, b, c, c], "its own, killed once"
    assert without_finals([a, b, c], best_is_c, []) == [a, b, c]
    assert without_finals([], [], []) == []


# the commands


def python(
    *words: str, folder: Path, code: int = 0, seconds: float = 300
) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=variables,
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def benchmark(
    name: str, folder: Path, *options: str, seconds: float = 300
) -> tuple[str, dict[str, object], str]:
    """Run one; give its page, its figures and what it said."""
    words = "-m", f"benchmarks.{name}", *options, "--out", str(folder)
    done = python(*words, folder=folder, seconds=seconds)
    page = (folder / f"{name}.md").read_text()
    return page, json.loads((folder / f"{name}.json").read_text()), done.stderr


@pytest.mark.nightly
def test_overhead(tmp_path: Path) -> None:
    options = "--trials 5 --repeats 1 --only ours-serial --real-trials 3 --data diabetes"
    page, figures, _ = benchmark("overhead", tmp_path, *options.split())
    assert "## 5 trials that do nothing" in page
    assert "| ours, serial engine |" in page
    raw = figures["raw"]
    assert isinstance(raw, dict)
    assert [cost["contender"] for cost in raw["costs"]] == ["ours-serial"]
    assert all(0 < cost["wall_ms"] < 1000 * cost["total_seconds"] for cost in raw["costs"])
    assert all(0 <= one["none_trains"] < 1 for one in raw["idle"])


@pytest.mark.nightly
def test_time_to_rmse_and_its_resume(tmp_path: Path) -> None:
    options = ["--data", "diabetes", "--minutes", "4", "--trials", "3", "--seeds", "1"]
    _, figures, said = benchmark("time_to_rmse", tmp_path, *options, "--only", "course")
    assert "course, seed 1" in said
    first = figures["raw"]
    assert isinstance(first, list)
    page, figures, said = benchmark("time_to_rmse", tmp_path, *options, "--only", "ours,course", "--append")
    assert "course" not in said, "what was run is not run again"
    both = figures["raw"]
    assert isinstance(both, list)
    assert both[:1] == first
    assert [race["contender"] for race in both] == ["course", "ours"]
    assert all(race["series"] and race["trials"] == 3 and race["cpu_seconds"] > 1 for race in both)
    assert "| ours, forecast |" in page
    assert "| the course's loop |" in page
    assert (tmp_path / "time_to_rmse.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.nightly
def test_scale(tmp_path: Path) -> None:
    page, figures, _ = benchmark("scale", tmp_path, "--sizes", "25", "--turns", "2", "--repeats", "1")
    assert "| trials | list | show | show --json | best | export | diff |\n" in page
    raw = figures["raw"]
    assert isinstance(raw, dict)
    assert [one["trials"] for one in raw["scales"]] == [25]
    assert len(raw["further"]["25"]) == 2
    assert all(ms > 0 for ms in raw["further"]["25"])
    assert 50 < raw["scales"][0]["resume_mb"] < 2000


@pytest.mark.nightly
def test_startup(tmp_path: Path) -> None:
    page, figures, _ = benchmark("startup", tmp_path, "--repeats", "1", "--data", "diabetes")
    assert "| sweeps --help |" in page
    raw = figures["raw"]
    assert isinstance(raw, dict)
    [start] = raw["starts"]
    assert 0 < start["run"] < start["training"]


@pytest.mark.nightly
def test_kill_storm(tmp_path: Path) -> None:
    page, figures, said = benchmark("kill_storm", tmp_path, "--kills", "2", "--only", "ours")
    assert "of 2 kills" in said
    assert "| ours, SQLite, 1 slot |" in page
    raw = figures["raw"]
    assert isinstance(raw, list)
    assert sum(one["kills"] for one in raw) >= 2
    assert all(
        (one["lost"], one["twice"], one["zombies"], one["wrong_sequence"]) == (0, 0, 0, False) for one in raw
    )
