"""The report of a benchmark as a whole, and its rows for other programs."""

import csv
import dataclasses
import io

import pytest

from hsi.evaluation.findings import find
from hsi.report.bench_report import as_latex, as_markdown, bench_sections
from hsi.report.result_rows import csv_text, result_rows, summary_rows


@pytest.fixture
def results(result):
    seen = {"contains": 1.0, "shares": 1.0}
    results = [result("svm", seed, oa=0.80 + seed / 100) for seed in range(6)]
    results += [result("net", seed, oa=0.90 + seed / 90, **seen) for seed in range(6)]
    results += [result("svm", seed, oa=0.70 + seed / 100, split="blocks") for seed in range(6)]
    results += [result("net", seed, oa=0.60 + seed / 90, split="blocks") for seed in range(6)]
    return results


def found(results, **options):
    options = {"right": lambda result: None, "simple": {"svm"}} | options
    return find(results, **options)


def test_each_group_is_judged_by_itself(results):
    first, blocks, sides, overview, reading = bench_sections(found(results))
    assert first.heading == "fields, random split, training on 10 % of each class"
    assert first.sentences[0].startswith("net is better than svm by 10.3 points, ")
    assert blocks.sentences[0].startswith("svm is better than net by 9.7 points, ")
    assert blocks.sentences[1].startswith("On disjoint blocks of fields (10 % of each class), the")
    # What the comparison says already is not said again.
    assert sum("svm is better than net" in sentence for sentence in blocks.sentences) == 1
    assert not any("simple svm" in sentence for sentence in first.sentences)
    assert sides.tables[0].head[-1] == "drop to blocks"
    assert len(overview.tables[0].rows) == 2
    assert any("McNemar" in sentence for sentence in reading.sentences)


@pytest.mark.parametrize(
    ("against", "references"), [("first", ["svm", "svm"]), ("best", ["net", "svm"]),
                                ("net", ["net", "net"])],
)  # fmt: skip
def test_what_models_are_compared_with(results, against, references):
    findings = found(results, against=against)
    assert [each[0].reference for each in findings.standings.values()] == references
    caveats = [
        sentence
        for section in bench_sections(findings)
        for sentence in section.sentences
        if "was chosen on these same figures" in sentence
    ]
    assert len(caveats) == (2 if against == "best" else 0)


def test_what_was_not_learned_is_said_with_the_model(result):
    """Notes on splits are the same for all models; these are not."""
    results = [result("svm", seed, oa=0.8) for seed in range(6)]
    slow = [
        dataclasses.replace(result("net", seed, oa=0.2), remarks=("nothing was learned",))
        for seed in range(6)
    ]
    noted = [dataclasses.replace(each, notes=("a class is missing",)) for each in results + slow]
    first, *_ = bench_sections(found(noted))
    assert first.sentences[-5:] == (
        *(f"net, seed {seed}: nothing was learned." for seed in range(3)),
        "3 more notes on models are in results.json.",
        "Split of seeds 0-5: a class is missing",
    )


def test_single_seeds_are_told_of_all_at_once(results, result):
    results += [result(name, 0, oa=0.5) for name in ("one", "two", "three")]
    first, *_ = bench_sections(found(results))
    several, single = (
        [each for each in first.sentences if start in each] for start in ("better", "One seed")
    )
    assert len(several) == 1
    assert several[0].startswith("net is better than svm by 10.3 points, ")
    assert single == [
        "One seed cannot tell one, two and three from svm: another split or other weights may turn "
        "each of them round. 8 seeds or more can."
    ]
    alone, *_ = bench_sections(found([*results[:12], result("one", 0, oa=0.5)]))
    assert any(
        each.startswith("One seed cannot tell one and svm apart") for each in alone.sentences
    )


def test_a_model_without_results_compares_nothing(results):
    findings = found(results, against="other")
    assert all(each == [] for each in findings.standings.values())
    assert len(bench_sections(findings)[0].tables) == 1


def test_nothing_yet_is_an_empty_report():
    findings = found([])
    assert bench_sections(findings) == []
    assert "begun" in as_markdown([], title="Benchmark", about=["begun"])
    assert csv_text(result_rows([])) == "\n"
    assert as_latex([], about=[]).startswith("%")


def test_text_holds_all_tables_and_sentences(results):
    sections = bench_sections(found(results))
    markdown = as_markdown(sections, title="Benchmark", about=["Command: hsi bench"])
    latex = as_latex(sections, about=["Command: hsi bench"])
    tables = [table for section in sections for table in section.tables]
    assert markdown.count("\n| --- |") == len(tables) == latex.count(r"\begin{table}")
    for section in sections:
        assert markdown.count(f"## {section.heading}\n") == 1
        for sentence in section.sentences:
            assert f"% {sentence}\n" in latex
    assert "- Command: hsi bench" in markdown
    assert latex.startswith("%")
    assert "% Command: hsi bench" in latex


def test_rows_are_tidy(results):
    rows = list(csv.DictReader(io.StringIO(csv_text(result_rows(results)))))
    assert len(rows) == 24
    assert len({tuple(row[name] for name in ("split", "model", "seed")) for row in rows}) == 24
    assert [float(row["oa"]) for row in rows] == [each.figures["oa"] for each in results]
    assert float(rows[0]["accuracy_1"]) == 1
    summaries = summary_rows(found(results).summaries)
    assert {row["figure"] for row in summaries} >= {"oa", "aa", "kappa", "contains", "accuracy"}
    [oa] = [
        row
        for row in summaries
        if (row["split"], row["model"], row["figure"]) == ("blocks", "svm", "oa")
    ]
    assert oa["mean"] == pytest.approx(0.725)
    assert oa["standard_deviation"] == pytest.approx(0.0187083, abs=1e-6)
    assert oa["trainings"] == 6
