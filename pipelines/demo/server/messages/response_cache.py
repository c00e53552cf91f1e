"""Response bodies assembled from cached JSON fragments, so that large calls are encoded and compressed once."""

import struct
import zlib
from collections.abc import Sequence
from functools import cached_property

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_END_OF_DEFLATE = b"\x03\x00"
_GZIP_MIN_BYTES = 2_000


class JsonFragment:
    """Encoded JSON, also available as deflate blocks that can be placed anywhere in a stream."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def deflate_blocks(self) -> bytes:
        """Byte-aligned deflate blocks without references to earlier blocks."""
        compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        return compressor.compress(self.raw) + compressor.flush(zlib.Z_FULL_FLUSH)


_COMMA = JsonFragment(b",")


def build_json_array(prefix: bytes, items: Sequence[JsonFragment], suffix: bytes) -> list[JsonFragment]:
    """Return the prefix, the items separated by commas, and the suffix."""
    fragments = [JsonFragment(prefix)]
    for number, item in enumerate(items):
        if number:
            fragments.append(_COMMA)
        fragments.append(item)
    fragments.append(JsonFragment(suffix))
    return fragments


def join_fragments(fragments: Sequence[JsonFragment], *, gzip: bool) -> tuple[bytes, bool]:
    """Return the body and whether it is gzipped; small bodies never are."""
    size = sum(len(fragment.raw) for fragment in fragments)
    if not gzip or size < _GZIP_MIN_BYTES:
        return b"".join([fragment.raw for fragment in fragments]), False
    checksum = 0
    for fragment in fragments:
        checksum = zlib.crc32(fragment.raw, checksum)
    trailer = struct.pack("<II", checksum, size & 0xFFFFFFFF)
    blocks = b"".join([fragment.deflate_blocks for fragment in fragments])
    return _GZIP_HEADER + blocks + _END_OF_DEFLATE + trailer, True
