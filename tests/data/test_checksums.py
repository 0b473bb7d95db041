import pytest

from bench.core.errors import UserError
from bench.data.checksums import checksum_of, difference, verify

# RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1
MD5_ABC = "md5:900150983cd24fb0d6963f7d28e17f72"
SHA256_ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("expected", [MD5_ABC, SHA256_ABC])
def test_published_vectors(tmp_path, expected):
    (tmp_path / "file").write_bytes(b"abc")
    algorithm = expected.partition(":")[0]
    assert checksum_of(b"abc", algorithm) == expected
    assert checksum_of(tmp_path / "file", algorithm) == expected
    assert difference(b"abc", expected) is None


def test_another_content_names_both_checksums(tmp_path):
    with pytest.raises(UserError) as error:
        verify(tmp_path / "file", b"abcd", MD5_ABC)
    assert str(tmp_path / "file") in error.value.message
    assert MD5_ABC in error.value.message
    assert checksum_of(b"abcd", "md5") in error.value.message


def test_an_unknown_algorithm_is_the_callers_mistake():
    with pytest.raises(ValueError, match="crc32"):
        difference(b"abc", "crc32:352441c2")
