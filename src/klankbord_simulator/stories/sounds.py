"""Voice notes: valid Ogg Opus files of the right length in which nobody speaks."""

from __future__ import annotations

import struct
from functools import cache

_SILENCE = b"\xf8\xff\xfe"  # one Opus packet: 20 ms, mono, nothing to hear
_SAMPLES = 960  # of 48 kHz in such a packet
_PACKETS_PER_PAGE = 50
_STREAM = 0x4B4C4B42


@cache
def record_voice(seconds: int) -> bytes:
    """An Ogg Opus file. Source of the layout: RFC 3533 (pages), RFC 7845 (the two heads)."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 0, 48_000, 0, 0)
    maker = b"klankbord"
    tags = b"OpusTags" + struct.pack("<I", len(maker)) + maker + struct.pack("<I", 0)
    pages = [_page([head], number=0, granule=0, flags=2), _page([tags], number=1, granule=0, flags=0)]
    left, played = seconds * 50, 0
    while left:
        packets = min(left, _PACKETS_PER_PAGE)
        left, played = left - packets, played + packets
        pages.append(_page([_SILENCE] * packets, number=len(pages), granule=played * _SAMPLES, flags=0 if left else 4))
    return b"".join(pages)


def _page(packets: list[bytes], *, number: int, granule: int, flags: int) -> bytes:
    """Packets here are shorter than 255 bytes, so each is one segment."""
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, _STREAM, number, 0)
    body = bytes([len(packets)]) + bytes(len(packet) for packet in packets) + b"".join(packets)
    page = head + body
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _checksum(page: bytes) -> int:
    """Ogg's own CRC-32: polynomial 04C11DB7, no reflection, no final turn."""
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value


def _table() -> list[int]:
    table = []
    for start in range(256):
        value = start << 24
        for _ in range(8):
            value = ((value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_TABLE = _table()
