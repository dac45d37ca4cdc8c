from __future__ import annotations

from html.parser import HTMLParser

import pytest

from thaitok.charts import KEPT, Series, stacked_bars
from thaitok.report import (
    Chart,
    Excerpt,
    Excerpts,
    Figures,
    Group,
    Section,
    Table,
    html_page,
)

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\x00\ud800"


class Page(HTMLParser):
    """The tags of a page, and the text inside each kind; fails on tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)


def every_section(words: str) -> list[Section]:
    chart = Chart(stacked_bars(words, [words], [Series(words, [1], KEPT)]))
    item = Excerpt(words, [(words, words), ("after", [(words, True), ("b", False)])])
    table = Table(words, (words, "n"), [(words, 1)], words)
    return [
        Figures([(words, words, words)]),
        table,
        Table("plain", ("", ""), [(words, 1), (words, words)]),
        Group(words, [table, chart, Excerpts(words, words, [item])], words),
        chart,
        Group(words, [Figures([])]),
        Excerpts(words, words, [item], unfolded=True),
    ]


def test_all_text_is_escaped() -> None:
    page = html_page(EVIL, every_section(EVIL))
    page.encode("utf-8")
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {"script", "img"}
    assert not any(name.startswith("on") for _, names in parsed.tags for name in names)
    for kind in (
        "h1",
        "h2",
        "h3",
        "td",
        "dt",
        "dd",
        "p",
        "bdi",
        "mark",
        "summary",
        "small",
        "b",
        "a",
    ):
        assert EVIL[:25] in "".join(parsed.text[kind]), kind


def test_nothing_is_fetched_or_run() -> None:
    page = html_page("t", every_section("word"))
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {"script", "link", "img", "iframe", "object"}
    named = [names for _, names in parsed.tags]
    assert not any({"src", "srcset", "style", "xlink:href"} & set(names) for names in named)
    assert all(str(names["href"]).startswith("#") for names in named if "href" in names)
    assert "url(" not in page
    assert "@import" not in page
    policy = [names["content"] for names in named if "http-equiv" in names]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_it_fits_a_phone_and_the_dark() -> None:
    page = html_page("t", [])
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in Page(
        page
    ).tags
    assert page.count("prefers-color-scheme: dark") == 2
    assert "color-scheme: light dark" in page


def test_numbers_stand_right_and_words_left() -> None:
    table = Table("t", ("word", "int", "float", "mixed", "gap"), [
        ("a", 1234567, 0.123456, 12, None),
        ("b", 2, 3.0, "many", 5),
    ])  # fmt: skip
    parsed = Page(html_page("t", [table]))
    cells = [names.get("class") for tag, names in parsed.tags if tag in ("th", "td")]
    assert cells == [None, "number", "number", None, "number"] * 3
    assert parsed.text["td"] == ["a", "1,234,567", "0.1235", "12", "b", "2", "3", "many", "5"]


def test_long_words_keep_their_width_on_a_phone() -> None:
    parsed = Page(html_page("t", [Table("t", ("a", "b"), [("ก" * 25, "ข" * 24)])]))
    assert [names.get("class") for tag, names in parsed.tags if tag == "td"] == ["long", None]


@pytest.mark.parametrize("count", [3, 4])
def test_links_lead_to_the_sections_of_a_long_page(count: int) -> None:
    tables = [Table(f"t{number}", ("a",), [(1,)]) for number in range(count)]
    parsed = Page(html_page("t", [Figures([("a", "1", "")]), *tables]))
    targets = [names["id"] for tag, names in parsed.tags if tag == "h2"]
    links = [names["href"] for tag, names in parsed.tags if tag == "a"]
    assert len(targets) == count
    assert links == ([f"#{target}" for target in targets] if count > 3 else [])


def test_what_is_marked_is_marked() -> None:
    item = Excerpt("", [("before", [("ก", False), ("ข", True)]), ("after", "ก")])
    page = html_page("t", [Excerpts("rule", "1 example", [item])])
    assert '<p><b lang="en">before</b>ก<mark title="U+0E02">ข</mark></p>' in page
    assert "<details><summary>rule" in page


def test_marks_that_look_alike_are_told_apart() -> None:
    texts = [("a", [("\u0e4d\u0e32", True)]), ("b", [("\u0e33", True)]), ("c", [("ก" * 9, True)])]
    parsed = Page(html_page("t", [Excerpts("rule", "", [Excerpt("", texts)])]))
    told = [names.get("title") for tag, names in parsed.tags if tag == "mark"]
    assert told == ["U+0E4D U+0E32", "U+0E33", None]


def test_the_same_page_is_the_same_bytes() -> None:
    assert html_page("t", every_section("ก")) == html_page("t", every_section("ก"))
