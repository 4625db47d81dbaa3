"""The description of a sweep on its page in the MLflow UI."""

from dataclasses import replace

from sweeps.api.note import note
from tests.made_sweep import record, without_figures


def test_it_says_what_came_out_and_who_won_and_links_there() -> None:
    first, links, outcome, table, failure = note(record(), "6 trials").split("\n\n")
    assert first.startswith("**Complete** after 3 complete, 1 pruned, 1 failed, 1 lost (ended by: 6 trials).")
    assert (
        "Best rmse **5.5** in [trial&nbsp;1](#/experiments/1/runs/00000000000000000000000000000001?" in first
    )
    assert links.count("](#/") == 3
    assert "the best 3 side by side" in links
    assert outcome.startswith("Winner [trial&nbsp;4](")
    assert "rmse **5.8** on the test rows. Registered as [diabetes-regressor version 3](#/models/" in outcome
    assert [line.count("|") for line in table.splitlines()] == [5] * 5
    assert "objective" not in table  # it is the same in all trials
    assert "ValueError&#58; depth 5 is no good" in failure


def test_a_sweep_without_a_figure_says_so() -> None:
    text = note(without_figures())
    assert text.startswith("**Complete** after 1 pruned, 1 failed, 1 lost.")
    assert not any(word in text for word in ("Best", "Winner", "Registered", "| trial |", "side by side"))


def test_without_finalists_nobody_won() -> None:
    assert "Winner" not in note(replace(record(), finalists=()))
