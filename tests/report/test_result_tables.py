"""Tables of a benchmark against figures worked out by hand."""

import shutil
import subprocess

import pytest

from hsi.evaluation import compare_models, drops, summarise_results
from hsi.report.comparison_tables import standings_table
from hsi.report.latex import escape, latex_tables
from hsi.report.markdown import markdown_table
from hsi.report.result_tables import (
    accuracy_table,
    overview_table,
    splits_table,
)
from hsi.report.table import Table


@pytest.fixture
def results(result):
    """Two models: means and deviations of two figures are easily found by hand."""
    fast = {"train_seconds": 120.0, "train_oa": 0.99}
    slow = {"train_seconds": 126.0, "train_oa": 0.97}
    return [
        result("net", 0, oa=0.96, accuracies=(0.9, None), parameters=5122176, **fast),
        result("net", 1, oa=0.98, accuracies=(1.0, 0.5), parameters=5122176, **slow),
        result("svm", 0, oa=0.90, accuracies=(1.0, 0.2), train_seconds=1.5, parameters=1000),
        result("svm", 1, oa=0.90, accuracies=(1.0, 0.4), train_seconds=2.5, parameters=1001),
    ]


def test_the_table_that_papers_print(results):
    table = accuracy_table(summarise_results(results))
    assert table.title == "fields, random split, training on 10 % of each class"
    assert table.head == ("id", "class", "net", "svm")
    rows = {row[1]: row[2:] for row in table.rows}
    assert rows["class 1"] == ("95.00 ± 7.07", "100.00 ± 0.00")
    assert rows["class 5"] == ("50.00", "30.00 ± 14.14")
    assert rows["OA %"] == ("97.00 ± 1.41", "90.00 ± 0.00")
    assert rows["training OA %"] == ("98.00 ± 1.41", "–")
    assert rows["training (s)"] == ("123 ± 4", "2.00 ± 0.71")
    assert rows["parameters"] == ("5,122,176", "1,000 ± 1")
    assert rows["multiply-adds"] == ("–", "–")
    assert rows["patch (pixels)"] == ("9", "9")
    bold = {(table.rows[row][1], table.head[column]) for row, column in table.bold}
    assert bold == {("class 1", "svm"), ("class 5", "net")} | {
        (name, "net") for name in ("OA %", "AA %", "kappa × 100")
    }
    assert "Mean ± sample standard deviation, seeds 0-1." in table.notes[0]
    assert any(note.endswith("none to test: class 5.") for note in table.notes)
    assert {table.rows[row][1] for row in table.rules} == {"OA %", "training OA %"}


def test_single_trainings_have_no_deviation(results):
    table = accuracy_table(summarise_results(results[:1]))
    assert all("±" not in cell for row in table.rows for cell in row)
    assert table.notes[0] == "Accuracies in percent. A single training each, seed 0."
    assert not table.bold


def test_models_with_other_seeds_are_named(results):
    table = accuracy_table(summarise_results(results[:3]))
    assert "deviation; net: seeds 0-1; svm: seed 0. Means over other seeds" in table.notes[0]


def test_the_overview_has_a_row_for_each_group(results, result):
    more = [result("net", 0, oa=0.5, split="blocks"), result("net", 0, oa=0.7, scene="woods")]
    table = overview_table(summarise_results(results + more), measure="oa")
    assert table.rows == (
        ("fields", "random", "0.1", "97.00 ± 1.41", "90.00 ± 0.00"),
        ("fields", "blocks", "0.1", "50.00", "–"),
        ("woods", "random", "0.1", "70.00", "–"),
    )
    assert table.rules == {2}
    assert table.bold == {(0, 3)}


def test_splits_stand_side_by_side(result):
    results = [
        result("net", seed, oa=oa, contains=1.0, shares=1.0)
        for seed, oa in enumerate((0.95, 0.96, 0.97))
    ]
    results += [
        result("net", seed, oa=oa, split="blocks") for seed, oa in enumerate((0.75, 0.76, 0.77))
    ]
    results += [result("svm", 0, oa=0.9, shares=0.25)]
    table = splits_table(summarise_results(results), drops(results, measure="oa"), measure="oa")
    assert table.head[1:3] == ("random: OA %", "contains / shares %")
    # Deviations of 1 point, three each: Welch's margin is t(4) sqrt(2/3) = 2.776 * 0.816 = 2.27.
    assert table.rows == (
        ("net", "96.00 ± 1.00", "100.0 / 100.0", "76.00 ± 1.00", "0.0 / 0.0",
         "20.0 (17.7 to 22.3)"),
        ("svm", "90.00", "0.0 / 25.0", "–", "–", "–"),
    )  # fmt: skip


def test_comparisons_are_in_points(result):
    results = [result("net", seed, oa=0.9 + seed / 100) for seed in range(6)]
    results += [
        result("other", seed, oa=0.9 + seed / 100 + 0.01 + (seed % 2) / 100) for seed in range(6)
    ]
    table = standings_table(
        compare_models(results, reference="net", measure="oa", right=lambda result: None),
        measure="oa",
    )
    # Differences of 1 and 2 points in turn: mean 1.5, deviation 0.548, t(5) = 2.571.
    assert table.rows == (("other", "1.5 (0.9 to 2.1)", "6", "0.031", "0.031", "–", "–"),)


AWKWARD = Table(
    title="Soy_min & 50% of {it} ~ ^ \\ # $1",
    head=("class", "net|1", "a", "b", "c", "d", "e", "f"),
    rows=(
        ("Café *bold* [x] -- \"q\" `c`", "98.70 ± 0.52", "–", "<0.01", "", "", "", "×"),
        ("[bracket]", "1", "κ", "−1", "", "", "", ">"),
    ),
    texts=1,
    rules=frozenset({1}),
    bold=frozenset({(0, 1)}),
    notes=("A note_1 of 5%.",),
)  # fmt: skip


def test_latex_has_the_structure_of_booktabs(results):
    text = latex_tables([accuracy_table(summarise_results(results)), AWKWARD], remarks=["hsi\n2"])
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    assert text.count(r"\resizebox") == 1  # of the wide one alone
    assert "% hsi\n% 2\n" in text
    assert r" & OA \% & \textbf{97.00 $\pm$ 1.41} & 90.00 $\pm$ 0.00 \\" in text
    assert r"\caption{Soy\_min \& 50\% of \{it\} \textasciitilde{}" in text
    assert "\n{}[bracket] & 1 & $\\kappa$" in text
    for line in text.splitlines():
        if line.endswith(r" \\"):
            columns = line.replace(r"\&", "").count("&") + 1
            assert columns in (4, 8), line


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX on this machine")
def test_latex_compiles(results, result, tmp_path):
    tables = [
        accuracy_table(summarise_results(results)),
        overview_table(summarise_results(results), measure="oa"),
        AWKWARD,
    ]
    document = (
        "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n"
        f"{latex_tables(tables)}\\end{{document}}\n"
    )
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


def test_markdown_is_one_line_a_row():
    lines = markdown_table(AWKWARD).splitlines()
    assert lines[2] == r"| class | net\|1 | a | b | c | d | e | f |"
    assert lines[3].startswith("| --- | ---: |")
    assert lines[4].startswith(r'| Café \*bold\* \[x\] -- "q" \`c\` | **98.70 ± 0.52** | – | \<')
    assert lines[-1] == "A note_1 of 5%. Bold: the highest mean of the row."
    assert len({line.replace(r"\|", "").count("|") for line in lines[2:6]}) == 1


def test_columns_are_chosen_with_their_marks():
    part = AWKWARD.columns((0, 1))
    assert (part.head, part.bold, part.rows[1]) == (
        ("class", "net|1"), {(0, 1)}, ("[bracket]", "1"),
    )  # fmt: skip
    assert AWKWARD.columns((0, 2)).bold == frozenset()


def test_escape_leaves_nothing_to_latex():
    assert escape("a---b") == "a-{}-{}-b"
    assert escape("50\n%") == r"50 \%"
