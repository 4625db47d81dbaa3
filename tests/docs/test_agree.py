"""When an answer counts as the one on the page, and how pages are read."""

import pytest

from docs.generate.blocks import agree, steps, with_answers

PAGE = """# A page

```bash
sweeps list
echo 'a
b' && \\
  echo c
```

```text
old
```

```python
# made.py
x = 1
```

Words.

```text
no answer
```
"""


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("rmse 23.7", "rmse 24.1"),
        ("sweep a3f8c2d1 took 12 s", "sweep 00112233 took 3.5 s"),
        ("results first · 2m 23s · overhead 3.5 % while trials ran", "results first · 14 s"),
        ("started 2026-11-25 21:10", "started 2027-01-02 03:04"),
        ("a   b\n c", "a b c"),
    ],
)
def test_what_differs_from_run_to_run_does_not_count(said: str, printed: str) -> None:
    assert agree(said, printed)


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("rmse 23.7", "rmse 30"),
        ("is champion", "is challenger"),
        ("50 complete", "49 complete"),
        ("one line", "one line\nand another"),
        ("max_depth=5", "max_depth=6"),
    ],
)
def test_what_the_page_says_counts(said: str, printed: str) -> None:
    assert not agree(said, printed)


def test_a_page_is_steps_with_answers() -> None:
    first, second = steps(PAGE)
    assert first.commands == ["sweeps list", "echo 'a\nb' &&    echo c"]
    assert (first.answer, second.answer) == ("old\n", None)
    assert (first.path, second.path) == (None, "made.py")


def test_answers_are_replaced_and_nothing_else() -> None:
    assert with_answers(PAGE, ["new\n"]) == PAGE.replace("old", "new")
