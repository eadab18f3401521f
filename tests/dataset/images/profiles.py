"""Write small ICC profiles, and convert colours without them."""

import struct

import numpy as np

PRIMARIES = {  # columns of red, green and blue in XYZ, adapted to D50
    "sRGB": [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]],
    "P3": [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]],
}
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
D50 = (0.9642, 1.0, 0.8249)


def profile(space: str, primaries: str = "", gamma: float | None = None) -> bytes:
    """Return a profile of an RGB or GRAY display; its curve is that of sRGB, or a gamma."""
    numbers = SRGB_CURVE if gamma is None else (gamma,)
    curve = struct.pack(">4sIHH", b"para", 0, 3 if gamma is None else 0, 0) + _fixed(numbers)
    tags = {b"wtpt": _xyz(D50)}
    if space == "GRAY":
        tags[b"kTRC"] = curve
    else:
        columns = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.transpose(PRIMARIES[primaries]), strict=True))
        tags |= {name: _xyz(column) for name, column in columns.items()}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    kind = b"mntr" + f"{space:4}".encode() + b"XYZ "
    head = struct.pack(">I4sI12s12s4s", 132 + 12 * len(tags) + len(body), b"", 0x04300000, kind, b"", b"acsp")
    return (head.ljust(68, b"\0") + _fixed(D50)).ljust(128, b"\0") + table + body


def as_srgb(colours: np.ndarray, primaries: str) -> np.ndarray:
    """Return uint8 colours (..., 3) of these primaries in sRGB, clipped."""
    gamma, scale, offset, slope, low = SRGB_CURVE
    values = colours / 255
    linear = np.where(values < low, values * slope, (scale * values + offset) ** gamma)
    to_srgb = np.linalg.inv(PRIMARIES["sRGB"]) @ np.array(PRIMARIES[primaries])
    linear = np.clip(linear @ to_srgb.T, 0, 1)
    encoded = np.where(linear < low * slope, linear / slope, (linear ** (1 / gamma) - offset) / scale)
    return np.rint(255 * encoded)


def _fixed(numbers: tuple[float, ...]) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))


def _xyz(values: tuple[float, ...] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(tuple(values))
