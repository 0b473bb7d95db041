import os

import numpy as np
import pytest
from safetensors import safe_open

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.digest import content_digest


@pytest.fixture
def path(tmp_path, images):
    path = prepared.prepared_path(tmp_path / "root", "tiny")
    prepared.save(path, images, name="tiny", licence="free", source="nowhere")
    return path


def test_what_was_saved_is_loaded(path, images):
    loaded = prepared.load(path, "tiny")
    assert list(loaded) == ["test", "train"]
    np.testing.assert_array_equal(loaded["train"].samples, images["train"].samples)
    np.testing.assert_array_equal(loaded["train"].labels, images["train"].labels)
    assert loaded["train"].labels.dtype == np.int64
    assert loaded["test"].labels is None
    assert os.listdir(path.parent) == ["tiny.safetensors"]


def test_metadata_say_what_it_is(path, images):
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {
            "name": "tiny",
            "licence": "free",
            "source": "nowhere",
            "digest": content_digest(images),
        }


def test_others_may_read_it_as_the_umask_says(path):
    beside = path.with_name("beside")
    beside.touch()
    assert path.stat().st_mode == beside.stat().st_mode


def test_a_flipped_bit_is_noticed(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged") as error:
        prepared.load(path, "tiny")
    assert error.value.fix == f"delete {path} and run `bench prepare tiny`"


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_file_is_noticed(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UserError, match="is damaged"):
        prepared.load(path, "tiny")


def test_another_data_set_is_noticed(path):
    with pytest.raises(UserError, match="holds the data set 'tiny'"):
        prepared.load(path, "mnist")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, images):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "tiny.safetensors"
    with pytest.raises(UserError, match="cannot write"):
        prepared.save(path, images, name="tiny", licence="", source="")
    assert os.listdir(tmp_path) == ["file"]


def test_the_missing_file_is_named_with_what_is_there(path):
    error = prepared.missing_dataset(path.parent, "mnist", "idx files", "run `bench prepare mnist`")
    assert error.message == (
        f"dataset 'mnist': no file {path.parent}/mnist.safetensors (present: tiny) and no "
        f"idx files in {path.parent} or {path.parent}/mnist"
    )
