"""A secret that is planted, and the search for whatever of it came out somewhere."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

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


def _pieces(text: str, size: int) -> set[str]:
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
    """

    secret: str = field(default_factory=lambda: make_secret(40))
    token: str = field(default_factory=lambda: make_secret(120))
    key_id: str = "ASIAIOSFODNN7EXAMPLE"

    @cached_property
    def _needles(self) -> dict[str, list[bytes]]:
        needles: dict[str, list[bytes]] = {}
        for name, value in (("key", self.secret), ("token", self.token)):
            for encoding, text in encodings(value).items():
                # A byte is two characters of hex, and 4/3 of base64.
                size = 2 * _PIECE if "hex" in encoding else 12 if "base64" in encoding else _PIECE
                pieces = _pieces(text, size)
                needles[f"{name}, {encoding}"] = [
                    *(piece.encode() for piece in pieces),
                    *(piece.encode("utf-16-le") for piece in pieces),
                ]
        return needles

    def hits(self, *haystacks: object) -> list[str]:
        """In which encodings a piece of eight characters or more of either secret is in any of these.

        Parameters
        ----------
        *haystacks : bytes, str or anything else, of which the repr is searched
        """
        contents = b"\0".join(_to_bytes(each) for each in haystacks)
        return [name for name, pieces in self._needles.items() if any(piece in contents for piece in pieces)]


def _to_bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else repr(value)).encode(errors="replace")
