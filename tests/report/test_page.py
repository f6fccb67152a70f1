"""The report page: whole, self-contained, and safe to open whatever the names are."""

import base64
import re
from html.parser import HTMLParser

import pytest

from hsi.errors import UsageError
from hsi.report import confusion_figure, render_report, save_figure
from hsi.report.numbers import percent

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, and all text; raises where tags do not pair."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "figure.png"
    save_figure(confusion_figure([[1]], names=["a"]), path)
    return path.read_bytes()


@pytest.fixture
def parts(png):
    per_class = [
        {"name": "Corn", "id": 1, "accuracy": 0.5, "f1": 2 / 3, "pixels": 1200},
        {"name": EVIL, "id": 14, "accuracy": None, "f1": None, "pixels": 0},
    ]
    metrics = {
        "oa": 0.99999, "aa": 0.5, "kappa": 0.12345, "per_class": per_class, "test_pixels": 1200,
    }  # fmt: skip
    return {
        "title": f"scene {EVIL} & more",
        "summary": [("Scene", EVIL), ("Model", "hybridsn")],
        "metrics": metrics,
        "figures": [(f'Map "{EVIL}"', png), ("Curve", png)],
        "notes": [EVIL, "a < b"],
        "command": f"hsi train --config '{EVIL}'",
        "versions": {"hsi": "0.1.0", "torch": EVIL},
    }


def test_names_are_shown_and_never_run(parts):
    source = render_report(**parts)
    page = Page(source)
    assert not page.all("script")
    assert page.text.count(EVIL) == 8
    assert page.all("img")[0]["alt"] == f'Map "{EVIL}"'
    assert "a < b" in page.text


def test_the_page_needs_nothing_from_elsewhere(parts):
    source = render_report(**parts)
    page = Page(source)
    assert "http:" not in source
    assert "https:" not in source
    assert not {"link", "script", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not re.search(r"@import|url\(", source)
    assert all(each["src"].startswith("data:image/png;base64,") for each in page.all("img"))


def test_figures_are_inside_unchanged(parts, png):
    first, second = Page(render_report(**parts)).all("img")
    assert base64.b64decode(first["src"].partition(",")[2], validate=True) == png
    assert second["alt"] == "Curve"
    assert int(first["width"]) > 0
    assert int(first["height"]) > 0


def test_numbers_are_those_of_the_metrics(parts):
    text = Page(render_report(**parts)).text
    assert "99.99 %" in text  # not 100: something is wrong in the map
    assert "50.00 %" in text
    assert "0.1235" in text or "0.1234" in text
    assert "On 1,200 test pixels" in text
    rows = re.findall(r"<tr><td.*?</tr>", render_report(**parts))
    cells = [re.findall(r">([^<]+)<", row) for row in rows]
    assert cells[0] == ["1", "Corn", "1,200", "50.00", "66.67"]
    assert cells[1][-3:] == ["0", "–", "–"]


def test_headings_and_tables_are_accessible(parts):
    page = Page(render_report(**parts))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("table")) == len(page.all("caption")) == 3
    assert all(each["scope"] in {"row", "col"} for each in page.all("th"))


def test_a_narrow_table_of_classes_scrolls_and_leaves_names_whole(parts):
    """Names may break anywhere in the other tables, but not where accuracies stand."""
    source = render_report(**parts)
    rules = dict(re.findall(r"^([^{}\n]+) \{([^{}]+)\}", source, re.MULTILINE))
    assert "overflow-x: auto" in rules[".wide"]
    assert "overflow-wrap: normal" in rules[".wide th, .wide td"]
    assert '<div class="wide">\n<table>' in source


@pytest.mark.parametrize("kappa", [None, float("nan")])
def test_kappa_may_have_no_value(parts, kappa):
    parts["metrics"]["kappa"] = kappa
    page = render_report(**parts)
    assert "<dd>–</dd>" in page
    assert "nan" not in Page(page).text.lower()


def test_empty_parts_leave_no_empty_section(parts):
    empty = parts | {"summary": [], "figures": [], "notes": [], "versions": {}}
    page = Page(render_report(**empty))
    for heading in ("Summary", "Figures", "Versions", "in mind"):
        assert heading not in page.text


def test_dollar_signs_are_no_placeholders(parts):
    assert (
        "$title ${style} $$" in Page(render_report(**parts | {"title": "$title ${style} $$"})).text
    )


def test_the_same_input_gives_the_same_page(parts):
    assert render_report(**parts) == render_report(**parts)


def test_a_figure_must_be_a_png(parts):
    with pytest.raises(UsageError, match="Curve"):
        render_report(**parts | {"figures": [("Curve", b"GIF89a")]})


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.00"),
        (1.0, "100.00"),
        (0.12345, "12.35"),
        (0.99994, "99.99"),
        (0.999999, "99.99"),
        (0.000001, "<0.01"),
        (0.0001, "0.01"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_percentages_do_not_flatter(share, text):
    assert percent(share, digits=2) == text
