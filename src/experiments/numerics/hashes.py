"""Content hashes: 16 hexadecimal digits of BLAKE2b, or the same as a 64-bit number."""

from hashlib import blake2b

import numpy as np

BLOCK = 1 << 20  # bytes of rows hashed at a time


def hash_bytes(data: bytes | memoryview) -> str:
    """Return the hash of some bytes, 16 hexadecimal digits."""
    return blake2b(data, digest_size=8).hexdigest()


def hash_rows(array: np.ndarray) -> np.ndarray:
    """Return the hash of each row, str (n,)."""
    hashes = np.empty(len(array), "U16")
    width = array[:1].nbytes
    size = max(1, BLOCK // max(1, width))
    for start in range(0, len(array), size):
        block = array[start : start + size].tobytes()
        ends = range(width, len(block) + 1, width) if width else [0] * len(array[start : start + size])
        codes = [blake2b(block[end - width : end], digest_size=8).digest() for end in ends]
        hashes[start : start + size] = np.frombuffer(b"".join(codes).hex().encode(), "S16")
    return hashes


def hash_numbers(hashes: np.ndarray) -> np.ndarray:
    """Return hashes as 64-bit numbers, uint64 (n,)."""
    letters = np.ascontiguousarray(hashes, "U16").view(np.uint32).reshape(-1, 16)
    numbers = np.zeros(len(letters), np.uint64)
    for column in letters.T:
        digits = column - np.where(column >= ord("a"), ord("a") - 10, ord("0")).astype(np.uint32)
        numbers = (numbers << np.uint64(4)) | digits
    return numbers
