"""Decode the file names of a zip or tar, whose encoding may be unknown."""

import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress
from typing import NamedTuple

UTF8 = 0x800  # flag of a zip's member with a name in UTF-8
UNICODE_PATH = 0x7075  # extra field with a name in UTF-8 and the CRC-32 of the name that it replaces
SURROGATES = range(0xDC80, 0xDD00)  # `surrogateescape` of bytes that are not UTF-8


class Name(NamedTuple):
    """A member's path.

    Parameters
    ----------
    raw
        The bytes in the archive.
    guessed
        True if the encoding is unknown, so that some letters may be wrong.
    """

    text: str
    raw: bytes
    guessed: bool = False


def zip_name(info: zipfile.ZipInfo) -> Name:
    """Return the name of a zip's member.

    UTF-8 if flagged; else the Unicode path if its CRC matches the name; else UTF-8 if the bytes are valid, as
    macOS writes them without the flag; else code page 437, as the format prescribes.

    Source
    ------
    PKWARE, APPNOTE.TXT 6.3.10, section 4.4.4 (bit 11), 4.6.9 (0x7075) and appendix D.
    """
    name = info.orig_filename  # before zipfile replaces separators
    if info.flag_bits & UTF8 or name.isascii():
        return Name(name, name.encode())
    raw = name.encode("cp437")  # zipfile decodes names as cp437, in which all 256 bytes are characters
    unicode_path = _unicode_path(info.extra, raw)
    if unicode_path:
        return Name(unicode_path, raw)
    try:
        return Name(raw.decode(), raw)
    except UnicodeDecodeError:
        return Name(name, raw, guessed=True)


def tar_name(info: tarfile.TarInfo) -> Name:
    """Return the name of a tar's member, read with `surrogateescape`: UTF-8, else ISO 8859-1."""
    raw = info.name.encode(errors="surrogateescape")
    if any(ord(letter) in SURROGATES for letter in info.name):
        return Name(raw.decode("latin-1"), raw, guessed=True)
    return Name(info.name, raw)


def percent_encoded(name: Name) -> str:
    """Return a name of unknown encoding with each byte beyond ASCII as %XX."""
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in name.raw)


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the path in an extra field 0x7075; "" if there is none with the CRC of this name."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == UNICODE_PATH and field[:5] == struct.pack("<BL", 1, zlib.crc32(raw)):
            with suppress(UnicodeDecodeError):
                return field[5:].decode()
    return ""
