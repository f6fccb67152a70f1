"""The table of faults, `cases/*.toml`: each row has an id, a fault and what is expected of it."""

import tomllib
from pathlib import Path

SHEETS = sorted(Path(__file__).with_name("cases").glob("*.toml"))


def test_every_row_has_an_id_of_its_own_a_fault_and_what_is_expected():
    rows = [row for path in SHEETS for row in tomllib.loads(path.read_text("utf-8"))["case"]]
    assert SHEETS
    for row in rows:
        assert {"id", "fault"} < row.keys(), row
        assert "expected" in row, row
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)), {each for each in ids if ids.count(each) > 1}
