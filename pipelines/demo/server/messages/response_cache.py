"""Answers joined from serialised pieces, so that a page of big calls costs neither encoding nor compression."""

import struct
import zlib
from collections.abc import Sequence
from functools import cached_property

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_END_OF_DEFLATE = b"\x03\x00"
_GZIP_FROM_BYTES = 2_000


class Piece:
    """Bytes of JSON, and the same as deflate blocks that can stand anywhere in a stream."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def deflated(self) -> bytes:
        """Byte-aligned deflate blocks without references to what came before."""
        compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        return compressor.compress(self.raw) + compressor.flush(zlib.Z_FULL_FLUSH)


_COMMA = Piece(b",")


def json_array(before: bytes, items: Sequence[Piece], after: bytes) -> list[Piece]:
    """`before`, the items with commas between them, `after`."""
    pieces = [Piece(before)]
    for number, item in enumerate(items):
        if number:
            pieces.append(_COMMA)
        pieces.append(item)
    pieces.append(Piece(after))
    return pieces


def joined(pieces: Sequence[Piece], *, gzip: bool) -> tuple[bytes, bool]:
    """The whole body, and whether it came out gzipped (small ones never are)."""
    size = sum(len(piece.raw) for piece in pieces)
    if not gzip or size < _GZIP_FROM_BYTES:
        return b"".join([piece.raw for piece in pieces]), False
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece.raw, checksum)
    trailer = struct.pack("<II", checksum, size & 0xFFFFFFFF)
    blocks = b"".join([piece.deflated for piece in pieces])
    return _GZIP_HEADER + blocks + _END_OF_DEFLATE + trailer, True
