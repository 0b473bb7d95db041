"""Weights from a file, from torch.hub's folder or a download, and what is wrong with them."""

import sys
import urllib.error

import pytest
import random_weights
import torch
from omegaconf import OmegaConf

from bench.core.errors import UserError
from bench.core.files import sha256_of
from bench.features.fidelity import import_torch_fidelity
from bench.features.published import PublishedWeights

NETWORKS = ("inception_2015", "dinov2", "clip")
FILES = {  # in torch.hub's folder, where torch-fidelity looks for them
    "inception_2015": "weights-inception-2015-12-05-6726825d.pth",
    "dinov2": "dinov2_vitl14_pretrain.pth",
    "clip": "clip-vit-b-32-40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af.pt",
}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """torch.hub's empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def served(tmp_path):
    """A file and its address, and the first digits of its SHA-256."""
    path = tmp_path / "served.bin"
    path.write_bytes(b"weights")
    return path.as_uri(), sha256_of(path)


def test_a_download_is_kept_and_not_repeated(hub, served):
    url, digest = served
    published = PublishedWeights("x", url, "kept.bin", digest[:8])
    path, found = published.resolve(None, digest)
    assert path == hub / "kept.bin" and path.read_bytes() == b"weights" and found == digest
    assert PublishedWeights("x", "file:///gone", "kept.bin", None).resolve(None, None) == (
        path,
        digest,
    )


@pytest.mark.parametrize("told", ["digest", "sha256"])
def test_a_download_with_another_hash_is_thrown_away(hub, served, told):
    url, _ = served
    other = "0" * 64
    published = PublishedWeights("x", url, "kept.bin", other[:8] if told == "digest" else None)
    with pytest.raises(UserError, match="could be downloaded: invalid hash"):
        published.resolve(None, other if told == "sha256" else None)
    assert not any(hub.iterdir())


@pytest.mark.parametrize("name", NETWORKS)
def test_published_hashes_are_those_that_torch_fidelity_knows(name, config):
    sha256 = config(name).sha256
    assert len(sha256) == 64
    if name == "inception_2015":
        module = import_torch_fidelity(name, "feature_extractor_inceptionv3")
        assert sha256.startswith(module.URL_INCEPTION_V3.removesuffix(".pth")[-8:])
    if name == "clip":
        module = import_torch_fidelity(name, "feature_extractor_clip")
        assert sha256 == module.MODEL_METADATA[config(name).model]["hash"]


@pytest.mark.parametrize("name", NETWORKS)
def test_torch_hubs_copy_is_used_and_checked(name, hub, extractor_of):
    (hub / FILES[name]).write_bytes(b"other weights")
    with pytest.raises(UserError, match="has SHA-256") as caught:
        extractor_of(name)
    assert "features.sha256=null" in caught.value.fix


@pytest.mark.parametrize("name", NETWORKS)
def test_without_file_and_network_it_says_what_to_do(name, hub, monkeypatch, extractor_of):
    def unreachable(url, path, hash_prefix):
        assert url.startswith("https://") and path == str(hub / FILES[name]) and hash_prefix
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(UserError, match="none could be downloaded") as caught:
        extractor_of(name)
    assert "features.weights=FILE" in caught.value.fix
    with pytest.raises(UserError, match="no file"):
        extractor_of(name, weights=str(hub / "absent"))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_refused(name, tmp_path, extractor_of, content):
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{name}.*does not hold the weights"):
        extractor_of(name, weights=str(path), sha256=None)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "content",
    [{"fc.weight": torch.zeros(2)}, {"a": 1}, 3, OmegaConf.create({"a": 1})],  # the last runs code
)
def test_a_file_of_another_network_or_with_code_is_refused(name, tmp_path, extractor_of, content):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(UserError, match="does not hold the weights"):
        extractor_of(name, weights=str(path), sha256=None)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_with_code_runs_none(name, tmp_path, extractor_of):
    path, witness = tmp_path / "code.pth", tmp_path / "ran"
    torch.save(Malicious(str(witness)), path)
    with pytest.raises(UserError, match="does not hold the weights"):
        extractor_of(name, weights=str(path), sha256=None)
    assert not witness.exists()


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_scripted_file_of_another_network_is_refused(tmp_path, extractor_of):
    path = random_weights.scripted({"fc.weight": torch.zeros(2)}, tmp_path / "other.pt")
    for name in NETWORKS:
        with pytest.raises(UserError, match="does not hold the weights"):
            extractor_of(name, weights=str(path), sha256=None)


@pytest.mark.parametrize("name", NETWORKS)
def test_without_torch_fidelity_it_says_what_to_install(name, monkeypatch, extractor_of):
    for module in [m for m in sys.modules if m.startswith("torch_fidelity.")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(UserError, match="needs torch-fidelity") as caught:
        extractor_of(name)
    assert "created-equal[inception]" in caught.value.fix


@pytest.mark.parametrize("name", ["dinov2", "clip"])
def test_a_network_that_torch_fidelity_has_not_is_refused(name, extractor_of):
    with pytest.raises(UserError, match="has no .* 'vit-x'") as caught:
        extractor_of(name, model="vit-x")
    assert f"{name}-vit-" in caught.value.fix
