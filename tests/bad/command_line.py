"""Mistakes in the words of a command: exit code 2."""

import shlex

from tests.bad.case import GOOD, RUN, Case, closed

COMMAND_LINE = {
    "B1 unknown option": Case(
        f"{GOOD} --trails 5", 2, r"unknown option --trails \(did you mean --trials\?\)"
    ),
    "unknown option, no guess": Case(f"{GOOD} --zzz", 2, r"unknown option --zzz \(sweeps run --help\)"),
    "unknown command": Case("rum ridge", 2, r"unknown command 'rum', did you mean 'run'\? known: .*ui"),
    "no space": Case("run", 2, r"SPACE: missing \(sweeps run --help\)"),
    "value for a flag": Case("list --json=5", 2, r"--json: takes no value \(sweeps"),
    "results under a long name": Case(f"{GOOD} --results-dir {'x' * 300}", 2, "File name too long"),
    "too many words": Case("spaces extra", 2, r"unexpected extra argument .*\(sweeps spaces --help\)"),
    "option without value": Case("run space.py --trials", 2, r"--trials: needs a value \(sweeps"),
    **{
        f"B2 trials {value!r}": Case(
            f"run ridge --data diabetes --trials={value}",
            2,
            rf"--trials: must be a whole number >= 1, got '{value}'",
        )
        for value in ("0", "-3", "1.5", "abc", "1e3", "1_0", "0x10", "nan")
    },
    "segment unknown": Case(f"{GOOD} --segment towns", 2, "--segment: no column 'towns'; known: "),
    "B78 alias": Case("promote last --alias v1", 2, "unknown option --alias"),
    "gate unknown": Case(f"{GOOD} --gate best", 2, "--gate: must be better, significant, none, got 'best'"),
    "gate without a model": Case(
        f"{GOOD} --gate better --no-register", 2, "--no-register: registers nothing"
    ),
    "confidence 1": Case(f"{GOOD} --gate significant --confidence 1", 2, "--confidence: must be from 0.5"),
    "confidence alone": Case(f"{GOOD} --confidence 0.9", 2, r"--confidence: .*\(add --gate significant\)"),
    "gain that is no share": Case(f"{GOOD} --min-gain 0.5", 2, "--min-gain: must be a share such as 0.5%"),
    "latency 0": Case("promote last --max-latency 0", 2, "--max-latency: must be a positive number, got 0"),
    "loss without a segment": Case(
        f"{GOOD} --max-segment-loss 5%", 2, r"--max-segment-loss: .*--segment COL"
    ),
    **{
        f"notify {value!r}": Case(f"{GOOD} --notify {shlex.quote(value)}", 2, f"--notify: {said}")
        for value, said in {
            "": "must be a command, or an address that begins with http:// or https://, got nothing",
            "  ": "must be a command, .*, got nothing",
            "ftp://h/x": "must be a command, or an address .*, got one with ftp://",
            "https://": r"is no web address \(write https://HOST/PATH",
            "http://h:99999/": r"is no web address \(write http://HOST/PATH",
            "http://h/a b": r"is no web address \(write http://HOST/PATH",
            "hooks.example.org/services/x": "must be a command, or an address that begins with http://",
            "no-such-command -v": r"there is no command 'no-such-command' \(name it by its path",
            "./table.csv": r"there is no command './table.csv' \(",
            "cat | sort": r"'\|' is for a shell, and none is asked \(--notify \"sh -c",
            "cat 'x": "a quote in the command is not closed",
        }.items()
    },
    "notify by a variable that is not set": Case(
        f"{GOOD} --notify env:NO_SUCH_HOOK", 2, r"--notify env:NO_SUCH_HOOK: is not set here \(export NO_SUCH"
    ),
    "notify of a promotion": Case("promote last --notify ftp://h", 2, "--notify: must be a command"),
    "notify of a resumed sweep": Case("resume last --notify ''", 2, "--notify: must be a command"),
    "rollback to no number": Case("rollback m --to v1", 2, "--to: must be a whole number >= 1, got 'v1'"),
    "B3 workers 0": Case(f"{GOOD} --workers 0", 2, "--workers: must be a whole number from 1 to .*'0'"),
    "B3 workers 10000": Case(f"{GOOD} --workers 10000", 2, "--workers: must be .* from 1 to .*'10000'"),
    "workers of the serial engine": Case(
        f"{GOOD} --workers 3", 2, r"--workers: .*serial.*\(use --engine local\)"
    ),
    "threads 0": Case(f"{GOOD} --threads 0", 2, "--threads: must be a whole number from 1"),
    "patience 0": Case(f"{GOOD} --patience 0", 2, "--patience: must be a whole number >= 1"),
    "max failures": Case(f"{GOOD} --max-failures=-1", 2, "--max-failures: must be a whole number >= 0"),
    "top 0": Case(f"{GOOD} --top 0", 2, "--top: must be a whole number from 1"),
    "one fold": Case(f"{GOOD} --cv 1", 2, "--cv: must be a whole number >= 2, got '1'"),
    "too many folds": Case(f"{GOOD} --cv 1000", 2, r"--cv 1000: .* from 2 to 100 \(try --cv 5\)"),
    **{
        f"B4 time {value!r}": Case(
            f"{GOOD} --time={value}", 2, rf"--time: must be a positive time such as 90s, .*, got '{value}'"
        )
        for value in ("0", "-1", "-5m", "nan", "inf", "10x", "m", "1.2.3", "9" * 30 + "e9")
    },
    "B4 time ''": Case(f"{GOOD} --time=", 2, "--time: must be a positive time such as 90s, .*, got ''"),
    **{
        f"B5 seed {value!r}": Case(
            f"{GOOD} --seed={value}", 2, rf"--seed: must be .* 0 to 4294967295, got '{value}'"
        )
        for value in ("abc", "-1", "4294967296", "1.0")
    },
    "split seed": Case(f"{GOOD} --split-seed=-1", 2, "--split-seed: must be a whole number >= 0"),
    **{
        f"target rmse {value!r}": Case(
            f"{GOOD} --target-rmse={value}", 2, "--target-rmse: must be a number >= 0, got"
        )
        for value in ("nan", "-1", "inf", "abc")
    },
    "an rmse as --target": Case(
        "run ridge --data diabetes --target 5.3", 2, r"--target: .* own target .*--target-rmse 5\.3"
    ),
    "B7 unknown engine": Case(f"{GOOD} --engine dusk", 2, "--engine: unknown engine 'dusk'.*known: .*local"),
    "unknown algorithm": Case(
        f"{GOOD} --algo tpo", 2, r"--algo: unknown algorithm 'tpo', did you mean 'tpe'\?"
    ),
    "unknown algorithm option": Case(
        f"{GOOD} --algo-option startup=5",
        2,
        "--algo-option startup: unknown option of tpe 'startup'.*n_startup_jobs",
    ),
    "bad algorithm option": Case(
        f"{GOOD} --algo-option n_startup_jobs=x",
        2,
        r"--algo-option n_startup_jobs: must be a whole number.*'x' \(",
    ),
    "algorithm option without value": Case(
        f"{GOOD} --algo-option gamma", 2, "--algo-option: must be NAME=VALUE"
    ),
    "unknown pruner": Case(
        f"{GOOD} --prune ahsa",
        2,
        r"--prune ahsa: unknown pruner 'ahsa', did you mean 'asha'\?.*known: .*median",
    ),
    "unknown prune option": Case(
        f"{GOOD} --prune asha --prune-option etta=4",
        2,
        "--prune-option etta: unknown option of --prune asha 'etta'.*eta",
    ),
    **{
        f"prune option {value!r}": Case(
            f"{GOOD} --prune asha --prune-option eta={value}", 2, f"--prune-option eta: must be .*{value!r}"
        )
        for value in ("1", "x", "nan", "-3", "inf")
    },
    "option of no pruner": Case(
        f"{GOOD} --prune-option eta=4",
        2,
        r"--prune-option eta: --prune none has no options \(--prune forecast\)",
    ),
    **{
        f"trial timeout {value!r}": Case(
            f"{GOOD} --trial-timeout={value}",
            2,
            rf"--trial-timeout: must be a positive time such as 90s.*'{value}'",
        )
        for value in ("0", "-1", "nan", "10x")
    },
    "a limit where trials cannot be killed": Case(
        f"{GOOD} --engine serial --trial-timeout 9s",
        2,
        r"--trial-timeout: the serial engine cannot.*--engine local",
    ),
    "unknown features": Case(f"{GOOD} --features best", 2, "--features: must be auto or dataset, got 'best'"),
    "register and not": Case(
        f"{GOOD} --no-register --register-as m",
        2,
        r"--no-register: contradicts --register-as m \(leave one out\)",
    ),
    "B12 results in a file": Case(
        f"{GOOD} --results-dir table.csv", 2, r"results folder table.csv: .*--results-dir"
    ),
    "results folder closed": Case(
        f"{GOOD} --results-dir closed",
        2,
        "results folder closed: Permission denied",
        prepare=closed,
        powerless=True,
    ),
    "results in /proc": Case(
        f"{GOOD} --results-dir /proc/results", 2, "results folder /proc/results: .+--results-dir"
    ),
    **{
        f"B77 model name {name!r}": Case(
            f"{GOOD} --register-as {shlex.quote(name)}", 2, "--register-as: .* use letters, digits"
        )
        for name in ("a/b", "a:b", " ", "..", "<script>", "a\nb", "x" * 256)
    },
    **{
        f"B73 experiment {name!r}": Case(
            f"{GOOD} --experiment {shlex.quote(name)}", 2, "--experiment: must be 1 to 250 printable"
        )
        for name in ("", "  ", "a\nb", "\x1b[31m", "x" * 501)
    },
    "name of the sweep": Case(f"{GOOD} --name ''", 2, "--name: must be 1 to 250 printable"),
    "no data": Case(RUN, 2, r"data: none is named \(--data diabetes"),
    "data twice": Case(f"{GOOD} --data diabetes", 2, "--data and --table: name the data twice"),
    "no target named": Case(
        f"{RUN} --table table.csv", 2, r"--table: no target column named \(pass --target COL\)"
    ),
    "no validation rows": Case(
        f"{RUN} --train table.csv --target y", 2, r"--train: no rows to validate on \(pass"
    ),
    "test without train": Case(f"{GOOD} --test table.csv", 2, "--test: goes with --train"),
}
