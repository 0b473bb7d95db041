import pytest

from bench.core.errors import UserError
from bench.data.checksums import compute_checksum, describe_mismatch, verify_checksum

# RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1
MD5_ABC = "md5:900150983cd24fb0d6963f7d28e17f72"
SHA256_ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("expected", [MD5_ABC, SHA256_ABC])
def test_published_vectors(tmp_path, expected):
    (tmp_path / "file").write_bytes(b"abc")
    algorithm = expected.partition(":")[0]
    assert compute_checksum(b"abc", algorithm) == expected
    assert compute_checksum(tmp_path / "file", algorithm) == expected
    assert describe_mismatch(b"abc", expected) is None


def test_another_content_names_both_checksums(tmp_path):
    with pytest.raises(UserError) as error:
        verify_checksum(tmp_path / "file", b"abcd", MD5_ABC)
    assert str(tmp_path / "file") in error.value.message
    assert MD5_ABC in error.value.message
    assert compute_checksum(b"abcd", "md5") in error.value.message


def test_an_unknown_algorithm_is_the_callers_mistake():
    with pytest.raises(ValueError, match="crc32"):
        describe_mismatch(b"abc", "crc32:352441c2")
