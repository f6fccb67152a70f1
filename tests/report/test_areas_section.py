import numpy as np

from hsi.evaluation import summarise_area
from hsi.report.sections import areas_section

EVIL = "<script>x</script>"


def test_areas_are_in_a_table_with_what_must_be_said():
    cm = np.array([[5, 1], [0, 6]])
    area = summarise_area(cm, {1: 70, 9: 30}, ids=[1, 9], names=["Oak", EVIL], pixel_m2=900.0)
    area["notes"].append(f"note {EVIL}")
    html = areas_section(area)
    assert "Mapped (ha)" in html
    assert '<th scope="row">Oak</th><td class="number">6.30</td>' in html
    assert "&lt;script&gt;x&lt;/script&gt;</th>" in html
    assert "<li>note &lt;script&gt;" in html
    assert EVIL not in html
    assert "9.00" in html.rpartition("<tr>")[2]  # all of the map


def test_without_notes_there_is_no_empty_list():
    area = summarise_area(
        np.array([[9, 1], [1, 9]]), {1: 5, 2: 5}, ids=[1, 2], names=["a", "b"], pixel_m2=None
    )
    assert ("<ul" in areas_section(area)) == bool(area["notes"])
