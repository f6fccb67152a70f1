"""Files that are damaged, of others, or hostile are refused before anything in them is run."""

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hsi.deployed import OnnxClassifier
from hsi.deployed.description import KEY
from hsi.deployed.onnx_file import seal_onnx
from hsi.errors import RunError, UsageError
from hsi.sums import NO_SUM


@pytest.fixture
def copy(exported, tmp_path):
    return shutil.copy(exported.path, tmp_path / "copy.onnx")


@pytest.fixture
def changed(copy):
    """Return a function that changes the model in a file, and its description; the sum is right."""

    def change(change_model=None, **entries):
        model = onnx.load(copy, load_external_data=False)
        if change_model:
            change_model(model)
        (entry,) = (each for each in model.metadata_props if each.key == KEY)
        about = json.loads(entry.value) | {"sha256": NO_SUM}
        for name, value in entries.items():
            if value is None:
                del about[name]
            else:
                about[name] = value
        entry.value = json.dumps(about)
        copy.write_bytes(model.SerializeToString())
        seal_onnx(copy)
        return copy

    return change


def refused(path, words):
    with pytest.raises(RunError, match=words) as error:
        OnnxClassifier(path)
    assert len(str(error.value).splitlines()) <= 5
    assert path.name in str(error.value)


def test_what_is_changed_and_sealed_with_nothing_changed_is_taken(changed, exported):
    assert OnnxClassifier(changed()).description == exported.description


def test_the_sum_is_as_the_page_says(exported):
    import hashlib

    classifier = OnnxClassifier(exported.path)
    content = exported.path.read_bytes().replace(classifier.sha256.encode(), b"0" * 64)
    assert hashlib.sha256(content).hexdigest() == classifier.sha256


def test_a_flipped_bit_anywhere_is_found(copy, how_many, counted):
    content = bytearray(copy.read_bytes())
    generator = np.random.default_rng(0)
    places = generator.integers(0, len(content), how_many(25, 2000)).tolist()
    # Names, sizes and the description lie at both ends.
    for place in (*places, 0, 3, len(content) - 1, len(content) - 200):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        copy.write_bytes(damaged)
        with pytest.raises(RunError):
            OnnxClassifier(copy)
        counted("atomic and checked", "files of ONNX with a flipped bit")


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
def test_a_part_of_a_file(copy, share):
    content = copy.read_bytes()
    copy.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RunError, match=r"damaged|not written by"):
        OnnxClassifier(copy)


def test_files_of_others(tmp_path):
    refused(tmp_path / "nowhere.onnx", "cannot read .*nowhere.onnx")
    text = tmp_path / "text.onnx"
    text.write_text("This is no model.")
    refused(text, "damaged or no ONNX file")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value])
    foreign = tmp_path / "foreign.onnx"
    onnx.save(helper.make_model(graph), foreign)
    refused(foreign, "was not written by `hsi export`: its metadata lack the description")


def outside(model):
    """Let the weights be read from a file of the machine."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def outside_in_an_attribute(model):
    node = model.graph.node.add(op_type="Constant", output=["unused"])
    attribute = node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
    attribute.t.data_type, attribute.t.data_location = TensorProto.FLOAT, TensorProto.EXTERNAL
    attribute.t.external_data.add(key="location", value="../secret")


def outside_in_a_graph_within(model):
    inner = onnx.GraphProto(name="inner")
    inner.initializer.add(name="hidden", data_type=1, data_location=TensorProto.EXTERNAL)
    inner.initializer[0].external_data.add(key="location", value="secret")
    node = model.graph.node.add(op_type="If", output=["unused"])
    node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g.CopyFrom(inner)


@pytest.mark.parametrize("change", [outside, outside_in_an_attribute, outside_in_a_graph_within])
def test_weights_in_other_files_are_not_looked_for(changed, change):
    refused(changed(change), "are to be read from another file")


def other_domain(model):
    model.opset_import.add(domain="com.microsoft", version=1)


def other_operator(model):
    model.graph.node[0].domain = "com.evil"


def drawing(model):
    model.graph.node.add(op_type="RandomNormalLike", input=["cube"], output=["unused"])


def of_texts(model):
    scores = next(each for each in model.graph.output if each.name == "scores")
    scores.type.tensor_type.elem_type = TensorProto.STRING


def more_inputs(model):
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[-1].name = "more"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_domain, "more than plain operators of ONNX .com.microsoft"),
        (other_operator, "more than plain operators"),
        (lambda model: model.functions.add(name="f"), "more than plain operators"),
        (drawing, "it draws at random .RandomNormalLike"),
        (of_texts, "its inputs and outputs"),
        (more_inputs, "its inputs and outputs"),
        (lambda model: model.graph.output.pop(), "its inputs and outputs"),
        (lambda model: model.graph.node.pop(3), "onnxruntime cannot load"),
    ],
)
def test_a_graph_that_is_none_of_ours(changed, change, words):
    refused(changed(change), words)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"format": 2}, "has format 2; this version of hsi reads format 1"),
        ({"format": None}, "the description in its metadata is none"),
        ({"patch_size": 8}, "do not fit each other"),
        ({"patch_size": "9"}, "patch_size: Input should be a valid integer"),
        ({"components": 12}, "do not fit each other"),
        ({"classes": []}, "classes: List should have at least 2"),
        ({"classes": [{"id": 0, "name": "a", "color": [0, 0, 0]}] * 2}, r"classes.0.id"),
        ({"classes": [{"id": 1, "name": "a", "color": [0, 0, 0]}] * 3}, "do not fit"),
        ({"classes": [{"id": 1, "name": "a", "color": [0, 0, 256]}] * 3}, r"classes.0.color.2"),
        ({"more": 1}, "more: Extra inputs"),
        ({"pixel_bytes": 0}, "pixel_bytes"),
        ({"position_bytes": 1}, "do not fit each other"),
        ({"position_bytes": 10**400}, "position_bytes"),
        ({"patch_size": 1_000_000_001}, "patch_size: Input should be less than"),
    ],
)
def test_a_description_that_is_none(changed, entries, words):
    refused(changed(**entries), words)


def test_a_graph_that_gives_other_sizes(changed, scene, exported):
    """What is described has to be what comes out."""
    about = exported.description.model_dump()
    two = about["classes"][:2]
    classifier = OnnxClassifier(changed(classes=two))
    with pytest.raises(RunError, match=r"gives scores of \(3, 34, 40\) for a tile of \(34, 40\)"):
        next(classifier.tiles(scene).from_row(0))


def test_scores_that_are_no_numbers_make_no_map(changed, scene):
    def broken(model):
        weights = next(
            each for each in model.graph.initializer if each.data_type == 1 and len(each.dims) == 2
        )
        weights.raw_data = np.full(list(weights.dims), np.nan, dtype=np.float32).tobytes()

    classifier = OnnxClassifier(changed(broken))
    with pytest.raises(RunError, match="gives scores that are no numbers in rows 0 to 33"):
        next(classifier.tiles(scene).from_row(0))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_packages_that_are_not_there(exported, monkeypatch, package):
    monkeypatch.setattr(
        "hsi.deployed.optional.find_spec", lambda name: None if name == package else name
    )
    with pytest.raises(UsageError, match=rf"need {package}, which is not installed\n.*\[onnx\]"):
        OnnxClassifier(exported.path)


def test_threads(monkeypatch):
    from hsi.deployed.session import threads

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    for nothing in ("", "0", "many", "²"):
        monkeypatch.setenv("OMP_NUM_THREADS", nothing)
        assert threads() >= 1
