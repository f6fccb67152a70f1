"""Tables as LaTeX, in the manner of the package booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hsi.report.legend import plain_text
from hsi.report.table import Table

# Tables with more columns are made as narrow as the text.
COLUMNS = 7
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "×": r"$\times$",
    "κ": r"$\kappa$",
    # Two hyphens would become a dash.
    "-": "-{}",
}
_PLAIN = re.compile("-(?=-)|[" + re.escape("".join(set(_SPECIAL) - {"-"})) + "]")


def escape(text: str) -> str:
    r"""Return `text` with everything that LaTeX would take for a command made plain.

    Examples
    --------
    >>> print(escape("Soy_min & corn 50% ± 1"))
    Soy\_min \& corn 50\% $\pm$ 1
    """
    return _PLAIN.sub(lambda found: _SPECIAL[found[0]], plain_text(text))


def latex_tables(tables: Iterable[Table], *, remarks: Iterable[str] = ()) -> str:
    r"""Return tables that a document can ``\input``.

    Parameters
    ----------
    tables : iterable of Table
        In this order.
    remarks : iterable of str
        How they came about: comments at the head of the file.
    """
    lines = [
        "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}; with old versions of LaTeX,",
        "% \\usepackage[utf8]{inputenc} as well.",
        *(f"% {line}" for remark in remarks for line in remark.splitlines()),
    ]
    for table in tables:
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    wide = len(table.head) > COLUMNS
    alignment = "l" * table.texts + "r" * (len(table.head) - table.texts)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(' '.join([_sentence(table.title), *table.all_notes]))}}}",
        *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        _row(escape(text) for text in table.head),
        r"\midrule",
    ]
    for number, row in enumerate(table.rows):
        if number and number in table.rules:
            lines.append(r"\midrule")
        lines.append(
            _row(
                rf"\textbf{{{escape(text)}}}" if (number, column) in table.bold else escape(text)
                for column, text in enumerate(row)
            )
        )
    lines += [r"\bottomrule", r"\end{tabular}" + ("}" if wide else ""), r"\end{table}"]
    return lines


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _row(cells: Iterable[str]) -> str:
    # A cell that begins with a bracket would be taken for the argument of the line break before.
    return " & ".join(f"{{}}{cell}" if cell.startswith("[") else cell for cell in cells) + r" \\"
