import hashlib
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from bench.core.errors import UserError
from bench.scoring.statistics_file import read_statistics, write_statistics

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(50, 4)) @ RNG.normal(size=(4, 4))
MEAN, COV = FEATURES.mean(0), np.cov(FEATURES.T)
PROTOCOL = {
    "extractor": "tiny",
    "weight_hash": "abc",
    "resize": "none",
    "quantised": True,
    "source": {"name": "mnist", "split": "train"},
}


def extractor(name="tiny", weight_hash="abc", resize="none", width=4):
    return SimpleNamespace(name=name, weight_hash=weight_hash, resize=resize, width=width)


@pytest.fixture
def ours(tmp_path):
    path = tmp_path / "sub" / "reference.npz"
    write_statistics(path, MEAN, COV, 50, PROTOCOL)
    return path


def changed(path, **arrays):
    """The file with some arrays replaced, or left out where None."""
    with np.load(path) as content:
        kept = {**content, **arrays}
    np.savez(path, **{name: array for name, array in kept.items() if array is not None})
    return path


def foreign(path, mean=MEAN, cov=COV):
    """Save statistics as pytorch-fid does: numpy.savez_compressed(path, mu=, sigma=)."""
    np.savez_compressed(path, mu=mean, sigma=cov)
    return path


def refused(path, sentence, **other):
    with pytest.raises(UserError, match=sentence) as caught:
        read_statistics(path, extractor=extractor(**other))
    assert str(path) in caught.value.message and "\n" not in caught.value.message
    assert caught.value.fix


def test_what_was_written_is_read_bit_for_bit(ours):
    found = read_statistics(ours, extractor=extractor())
    np.testing.assert_array_equal(found.mean, MEAN)
    np.testing.assert_array_equal(found.cov, COV)
    assert found.mean.dtype == found.cov.dtype == np.float64
    assert found.n == 50 and found.protocol == PROTOCOL
    assert [path.name for path in ours.parent.iterdir()] == ["reference.npz"]


def test_others_read_ours_as_theirs(ours):
    """Read `np.load(path)["mu"][:]` and ["sigma"][:], as pytorch-fid does."""
    with np.load(ours) as content:
        np.testing.assert_array_equal(content["mu"][:], MEAN)
        np.testing.assert_array_equal(content["sigma"][:], COV)
        assert json.loads(str(content["protocol"])) == PROTOCOL


def test_a_file_of_others_does_not_state_its_extractor(tmp_path):
    path = foreign(tmp_path / "fid_stats.npz")
    found = read_statistics(path, extractor=extractor(name="any", weight_hash="any"))
    np.testing.assert_array_equal(found.mean, MEAN)
    np.testing.assert_array_equal(found.cov, COV)
    assert found.n is None
    assert {found.protocol[key] for key in ("extractor", "weight_hash", "resize", "quantised")} == {
        "not stated"
    }
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.protocol["source"] == f"fid_stats.npz, SHA-256 {content}"


def test_single_precision_of_others_is_widened_and_made_symmetric(tmp_path):
    askew = COV.astype(np.float32)
    askew[0, 1] += 1e-7
    found = read_statistics(foreign(tmp_path / "a.npz", MEAN, askew), extractor=extractor())
    assert found.cov.dtype == np.float64
    np.testing.assert_array_equal(found.cov, found.cov.T)
    np.testing.assert_allclose(found.cov, COV, rtol=1e-5)


def test_another_width(tmp_path, ours):
    refused(ours, "statistics of 4 features, extractor 'tiny' has 2048", width=2048)
    refused(foreign(tmp_path / "a.npz"), "of 4 features, extractor 'tiny' has 3", width=3)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"name": "big"}, "extractor 'tiny', in use is 'big'"),
        ({"weight_hash": "abd"}, "weight hash 'abc', in use is 'abd'"),
        ({"resize": "bilinear"}, "resize 'none', in use is 'bilinear'"),
    ],
)
def test_another_extractor(ours, other, sentence):
    refused(ours, f"statistics of another extractor: {sentence}", **other)


@pytest.mark.parametrize(
    "change",
    [
        {"mu": MEAN + 1e-12},
        {"sigma": COV * (1 + 1e-12)},
        {"n": np.int64(51)},
        {"protocol": np.array(json.dumps({**PROTOCOL, "quantised": False}, sort_keys=True))},
        {"sha256": np.array("0" * 64)},
        {"mu": np.array(["a", "b", "c", "d"])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_part_is_noticed(ours, change):
    refused(changed(ours, **change), "damaged or was changed: ")


@pytest.mark.parametrize("gone", ["n", "protocol", "sha256"])
def test_a_part_that_is_gone_is_noticed(ours, gone):
    refused(changed(ours, **{gone: None}), "n, protocol or sha256 is missing")


def test_what_is_no_covariance_names_its_file(tmp_path):
    """Eigenvalues 3 and -1; single precision's rounding of a singular matrix is none of this."""
    cov = np.eye(4)
    cov[:2, :2] = [[1, 2], [2, 1]]
    refused(foreign(tmp_path / "a.npz", MEAN, cov), "along one direction the variance is -1")
    direction = RNG.normal(size=(4, 1))
    singular = (direction @ direction.T).astype(np.float32)
    read_statistics(foreign(tmp_path / "b.npz", MEAN, singular), extractor=extractor())


def test_an_array_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.scoring.statistics_file.LARGEST", 200)
    refused(foreign(tmp_path / "a.npz"), "array 'sigma' unpacks to")  # 128 bytes and its header


@pytest.mark.parametrize("keys", [{"mu": MEAN}, {"sigma": COV}, {"images": COV}, {}])
def test_no_such_keys(tmp_path, keys):
    np.savez(tmp_path / "a.npz", **keys)
    refused(tmp_path / "a.npz", r"no statistics mu and sigma \(it has (mu|sigma|images|no array)\)")


@pytest.mark.parametrize(
    ("mean", "cov", "sentence"),
    [
        (MEAN, COV + np.triu(np.full((4, 4), 1e-3), 1), "sigma is not symmetric"),
        (MEAN, np.where(np.eye(4), COV, np.nan), "mu or sigma holds NaN or infinity"),
        (MEAN * np.inf, COV, "mu or sigma holds NaN or infinity"),
        (MEAN, COV - np.diag([0, 99, 0, 0]), "sigma has a negative variance"),
        (MEAN, COV[:3], r"shapes \[4\] and \[3, 4\]"),
        (MEAN[:, None], COV, r"shapes \[4, 1\] and \[4, 4\]"),
        (np.zeros(0), np.zeros((0, 0)), r"shapes \[0\] and \[0, 0\]"),
        (np.arange(4), COV, "int64 and float64, no floating point numbers"),
        (MEAN, COV + 0j, "float64 and complex128, no floating point numbers"),
    ],
)
def test_what_is_no_mean_and_covariance(tmp_path, mean, cov, sentence):
    refused(foreign(tmp_path / "a.npz", mean, cov), sentence)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
def test_damaged_files(ours, damage):
    content = bytearray(ours.read_bytes())
    with zipfile.ZipFile(ours) as archive:
        place = archive.getinfo("sigma.npy").header_offset + 250
    content[place] ^= 1
    written = {"empty": b"", "text": b"mu", "cut": content[: len(content) // 2], "flipped": content}
    ours.write_bytes(written[damage])
    refused(ours, "damaged")


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    foreign(tmp_path / "a.npz", np.array([Trap()], dtype=object))
    refused(tmp_path / "a.npz", "'mu' holds pickled objects")
    assert not (tmp_path / "sprung").exists()


def test_no_file(tmp_path):
    refused(tmp_path / "a.npz", "no file")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((MEAN, COV, 50, {"extractor": "tiny"}), "does not state weight_hash, resize"),
        ((MEAN, COV, 1, PROTOCOL), "two images at least, found n = 1"),
        ((MEAN, COV[:3], 50, PROTOCOL), r"shapes \[4\] and \[3, 4\]"),
        ((MEAN * np.nan, COV, 50, PROTOCOL), "NaN or infinity"),
        ((MEAN, COV, 50, {**PROTOCOL, "x": float("nan")}), "not JSON compliant"),
    ],
)
def test_what_is_not_written(tmp_path, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        write_statistics(tmp_path / "a.npz", *arguments)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(ours, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(UserError, match="cannot write"):
        write_statistics(ours, MEAN + 1, COV, 50, PROTOCOL)
    assert read_statistics(ours, extractor=extractor()).mean[0] == MEAN[0]
    assert len(list(ours.parent.iterdir())) == 1
