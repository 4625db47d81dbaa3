"""Foreign text in Markdown stays text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sweeps.errors import one_line
from sweeps.markdown import link, plain, table

MARKUP = st.text(alphabet="<>&\"'`*_[]()!#~|\\{}$^@:=./- \n\r\tab1wW\u202e\x1b", max_size=60)


class Parsed(HTMLParser):
    """The elements and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> Parsed:
    """Render as a page that lets HTML, tables and strikethrough through."""
    return Parsed(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
    )


@given(MARKUP)
def test_whatever_it_holds_it_is_shown_as_it_is(text: str) -> None:
    found = rendered(f"said: {plain(text)}.")
    assert found.tags == ["p"]
    assert found.text.strip() == f"said: {one_line(text)}."


@given(MARKUP)
def test_a_cell_of_a_table_and_the_words_of_a_link_hold_it_too(text: str) -> None:
    found = rendered(table(["a", "b"], [[link(f"x{text}", "#/x"), plain(f"y{text}")]]))
    assert [tag for tag in found.tags if tag not in ("table", "thead", "tbody", "tr", "th", "td")] == ["a"]
    assert found.tags.count("td") == 2
    assert one_line(f"x{text}").strip() in found.text
    assert one_line(f"y{text}").strip() in found.text


@pytest.mark.parametrize(
    "text", ["www.evil.example", "http://evil.example", "@all", ":smile:", "a@evil.example"]
)
def test_nothing_is_left_of_what_some_renderers_make_links_and_pictures_of(text: str) -> None:
    assert not any(sign in plain(text) for sign in ("www.", "://", "@", ":s"))


def test_a_secret_does_not_come_out_in_another_spelling() -> None:
    assert "hunter2" not in plain("cannot reach postgresql://me:hunter2@host/db")


def test_colours_for_a_terminal_are_left_out() -> None:
    assert plain("depth \x1b[1;31m5\x1b[0m") == "depth 5"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert plain("<" * 20, 5) == "&#60;" * 4 + "…"
