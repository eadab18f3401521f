"""What the files in a zip or tar are called: neither has to say how its names are coded."""

import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress
from typing import NamedTuple

UTF8 = 0x800  # the flag of a zip's member whose name is UTF-8
UNICODE_PATH = 0x7075  # the extra field with a name in UTF-8, and the CRC-32 of the name that it replaces
SURROGATES = range(0xDC80, 0xDD00)  # what `surrogateescape` makes of bytes that are not UTF-8


class Name(NamedTuple):
    """A member's path.

    Parameters
    ----------
    raw
        As the archive spells it.
    guessed
        True if nothing says how it is coded, so that some letters may be wrong.
    """

    text: str
    raw: bytes
    guessed: bool = False


def zip_name(info: zipfile.ZipInfo) -> Name:
    """Return the name of a zip's member.

    UTF-8 where the flag says so; the Unicode path where its CRC fits the name; UTF-8 where the bytes are
    that, as macOS writes them without the flag; else code page 437, which the format prescribes.

    Source
    ------
    PKWARE, APPNOTE.TXT 6.3.10, section 4.4.4 (bit 11), 4.6.9 (0x7075) and appendix D.
    """
    spelt = info.orig_filename  # before zipfile turns separators
    if info.flag_bits & UTF8 or spelt.isascii():
        return Name(spelt, spelt.encode())
    raw = spelt.encode("cp437")  # as zipfile decodes it; all 256 bytes have a letter
    unicode_path = _unicode_path(info.extra, raw)
    if unicode_path:
        return Name(unicode_path, raw)
    try:
        return Name(raw.decode(), raw)
    except UnicodeDecodeError:
        return Name(spelt, raw, guessed=True)


def tar_name(info: tarfile.TarInfo) -> Name:
    """Return the name of a tar's member, read with `surrogateescape`: UTF-8, else ISO 8859-1."""
    raw = info.name.encode(errors="surrogateescape")
    if any(ord(letter) in SURROGATES for letter in info.name):
        return Name(raw.decode("latin-1"), raw, guessed=True)
    return Name(info.name, raw)


def percent_encoded(name: Name) -> str:
    """Return a guessed name with each byte beyond ASCII as %XX, which no other name turns into by a guess."""
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in name.raw)


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the path in an extra field 0x7075; "" if there is none, or none of this name."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == UNICODE_PATH and field[:5] == struct.pack("<BL", 1, zlib.crc32(raw)):
            with suppress(UnicodeDecodeError):
                return field[5:].decode()
    return ""
