"""A secret that is planted, and the search for whatever of it came out somewhere."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

import numpy as np

#: Of which AWS makes secret keys and tokens; some of them look different in a URL.
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PIECE = 8


def make_secret(length: int) -> str:
    """A secret that has in it what encodings change."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length - 4)) + "/+=" + secrets.choice(_LETTERS)


def encodings(secret: str) -> dict[str, str]:
    """The secret as it might come out; of base64 the part that does not depend on what stands around it."""
    found = {
        "raw": secret,
        "reversed": secret[::-1],
        "URL-encoded": quote(secret, safe=""),
        "hex": secret.encode().hex(),
        "capital hex": secret.encode().hex().upper(),
    }
    for offset in range(3):
        # Three bytes become four characters: those that hold a neighbour's bits are left out.
        text = base64.b64encode(offset * b"\0" + secret.encode()).decode()
        kept = text[-(-8 * offset // 6) : len(text) - 4]
        found[f"base64, offset {offset}"] = kept
        found[f"base64 for URLs, offset {offset}"] = kept.translate(str.maketrans("+/", "-_"))
    return found


def _cut(text: str, size: int) -> set[str]:
    return {text[at : at + size] for at in range(len(text) - size + 1)}


@dataclass
class Planted:
    """A secret access key with its session token, and the key ID, which is no secret.

    Parameters
    ----------
    secret, token : str
        Random unless given.
    key_id : str
        What shows that a search has looked in the right place.
    least : int
        How many characters are a piece; more where the secret looks as digests do, which are everywhere.
    """

    secret: str = field(default_factory=lambda: make_secret(40))
    token: str = field(default_factory=lambda: make_secret(120))
    key_id: str = "ASIAIOSFODNN7EXAMPLE"
    least: int = _PIECE

    @cached_property
    def _pieces(self) -> dict[bytes, set[str]]:
        pieces: dict[bytes, set[str]] = {}
        for name, value in (("key", self.secret), ("token", self.token)):
            for encoding, text in encodings(value).items():
                # A byte is two characters of hex, and 4/3 of base64.
                size = self.least * (4 if "hex" in encoding else 3 if "base64" in encoding else 2) // 2
                for piece in _cut(text, size):
                    for written in (piece.encode(), piece.encode("utf-16-le")):
                        pieces.setdefault(written, set()).add(f"{name}, {encoding}")
        return pieces

    @cached_property
    def _heads(self) -> Any:
        return np.unique(np.array([int.from_bytes(piece[:_PIECE], "little") for piece in self._pieces], np.uint64))

    def hits(self, *haystacks: object) -> list[str]:
        """In which encodings a piece of ``least`` characters or more of either secret is in any of these.

        Parameters
        ----------
        *haystacks : bytes, str or anything else, of which the repr is searched
        """
        contents = b"\0".join(_to_bytes(each) for each in haystacks)
        sizes = {len(piece) for piece in self._pieces}
        found = (self._pieces.get(contents[at : at + size], ()) for at in self._places(contents) for size in sizes)
        return sorted({name for names in found for name in names})

    def _places(self, contents: bytes) -> Iterator[int]:
        """Where eight bytes are with which a piece begins: fast, since whole archives are searched."""
        starts = np.zeros(1 << 16, bool)
        starts[self._heads & np.uint64(0xFFFF)] = True
        for offset in range(min(_PIECE, max(len(contents) - _PIECE + 1, 0))):
            words = np.frombuffer(contents, "<u8", (len(contents) - offset) // _PIECE, offset)
            pairs = np.frombuffer(contents, "<u2", len(words) * 4, offset)[::4]
            likely = np.flatnonzero(starts[pairs])
            yield from (offset + _PIECE * likely[np.isin(words[likely], self._heads)]).tolist()


def _to_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else repr(value)).encode(errors="replace")
