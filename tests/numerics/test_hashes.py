"""Hashes of content: only equal rows have equal hashes."""

import numpy as np

from experiments.numerics.hashes import hash_bytes, hash_numbers, hash_rows


def test_only_equal_rows_have_equal_hashes():
    hashes = hash_rows(np.array([[1, 2], [1, 2], [2, 1]], np.float32))
    assert hashes[0] == hashes[1] != hashes[2]


def test_hashes_of_many_rows_are_those_of_their_bytes_and_convert_to_numbers():
    rows = np.random.default_rng(0).random((20_000, 2), np.float32)
    hashes = hash_rows(rows)
    for row in (0, 16_383, 16_384, 19_999):
        assert hashes[row] == hash_bytes(rows[row].tobytes())
        assert hash_numbers(hashes)[row] == int(hashes[row], 16)
    assert hash_rows(rows[:0]).shape == hash_numbers(hashes[:0]).shape == (0,)
