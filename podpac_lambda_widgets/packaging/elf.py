"""Shared libraries (ELF, System V ABI): what they are for, and their part that is never loaded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

#: Bytes of a 64-bit ELF header.
HEADER_BYTES = 64
_MAGIC = b"\x7fELF"
_64_BIT_LITTLE_ENDIAN = b"\x02\x01"
_MACHINE = struct.Struct("<H")
_MACHINE_AT = 18
_PROGRAM_HEADERS_AT = 32
_SECTION_HEADERS_AT = 40
_SECTION_COUNTS_AT = 60
_COUNTS_AT = 54
_SEGMENT = struct.Struct("<IIQQQQQQ")


@dataclass(frozen=True)
class ElfHeader:
    """The little of an ELF header that matters here."""

    machine: int
    segments_at: int
    segment_bytes: int
    segment_count: int


def read_header(data: bytes) -> ElfHeader | None:
    """The header at the start of `data`; None if that is not a 64-bit little-endian ELF file."""
    if len(data) < HEADER_BYTES or data[:4] != _MAGIC or data[4:6] != _64_BIT_LITTLE_ENDIAN:
        return None
    (machine,) = _MACHINE.unpack_from(data, _MACHINE_AT)
    (segments_at,) = struct.unpack_from("<Q", data, _PROGRAM_HEADERS_AT)
    segment_bytes, segment_count = struct.unpack_from("<HH", data, _COUNTS_AT)
    return ElfHeader(machine, segments_at, segment_bytes, segment_count)


def drop_unloaded_tail(data: bytes) -> bytes:
    """`data` up to the last byte its segments cover, without section headers.

    Symbol tables, debug information and section headers lie behind the segments; the loader reads segments only.
    What is not an ELF file, or has nothing behind its segments, comes back as it is. No byte that stays moves, so that
    a library stays loadable where a stripping program that moves segments breaks it.
    """
    header = read_header(data)
    if header is None or header.segment_bytes != _SEGMENT.size or not header.segment_count:
        return data
    end = header.segments_at + header.segment_bytes * header.segment_count
    for index in range(header.segment_count):
        _, _, offset, _, _, file_bytes, _, _ = _SEGMENT.unpack_from(data, header.segments_at + index * _SEGMENT.size)
        end = max(end, offset + file_bytes)
    if end >= len(data):
        return data
    kept = bytearray(data[:end])
    struct.pack_into("<Q", kept, _SECTION_HEADERS_AT, 0)
    struct.pack_into("<HH", kept, _SECTION_COUNTS_AT, 0, 0)
    return bytes(kept)
