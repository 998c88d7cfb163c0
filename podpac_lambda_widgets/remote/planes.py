"""The values of one array, made smaller without loss.

The array is cut into blocks. In a block each word is replaced by its difference to the word before it, because
neighbours on a map are alike. Then the first bytes of all words, their second bytes and so on are put together (the
"shuffle" of HDF5 and Blosc), because the high bytes of the differences are nearly all zero and the low bytes of
measured values are noise. A plane of such bytes is deflated where a sample of it says that this pays, and is left as
it is elsewhere, so that noise costs no time. ``benchmarks/encoding.py`` measures this against what else there is.

Measurements that were stored as whole numbers with a scale have few different values, whose bits look like noise. Where
a block has such, it holds a sorted table of these values and, for each word, its place in the table.

=====================  ========================================================================
bytes of a block       meaning
=====================  ========================================================================
4                      the number of values in the table; 0 where there is none
planes                 the table, where there is one
planes                 the words, or their places in the table as words of two bytes
=====================  ========================================================================

Planes are the length of each in bytes (32 bits, unsigned, little-endian), and then they themselves: as zlib (RFC 1950)
where the length is below the number of words, else as they are.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

from podpac_lambda_widgets.errors import ResultError

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, np.dtype[Any]]
    Words = np.ndarray[tuple[int], np.dtype[np.unsignedinteger[Any]]]

#: Bytes of a block: deflate looks back 32 KiB in each of eight planes, and it stays in a processor's cache.
BLOCK_BYTES = 2**20
#: The best that deflate can do (zlib, "technical details": 1032 to 1), on places of two bytes for values of eight.
GREATEST_RATIO = 1032 * 4
_LEVEL = 1
#: A sample is so many runs of so many bytes, evenly spread.
_RUNS, _RUN = 4, 512
#: A plane is deflated when its sample becomes smaller by an eighth: less takes as long as it saves at 50 Mbit/s.
_PAYS = 7 / 8
#: A table is looked for where, of so many words, a 32nd part of as many values occurs more than once.
_SAMPLED = 4096
#: It is used where it has at most an eighth of the block's words, and places of two bytes.
_TABLE_SHARE, _TABLE_SIZE = 8, 2**16
_COUNT = struct.Struct("<I")
#: Numpy's name of each type that has the same bits on every machine.
_DTYPE = re.compile(
    r"\|b1|[<>|][iu][1248]|[<>]f[248]|[<>]c(8|16)|[<>|][US][1-9]\d{0,8}"
    r"|[<>][mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?",
    re.ASCII,
)


def read_dtype(name: str) -> np.dtype[Any]:
    """The type of an array by numpy's name of it (``numpy.dtype.str``).

    Raises
    ------
    ResultError
        Not one that can be sent: objects, records, and numbers that each machine holds in its own way.
    """
    import numpy as np

    if not _DTYPE.fullmatch(name):
        raise ResultError("The result has a type that cannot be sent", why=name[:80])
    return np.dtype(name)


def pack_values(values: Values, sink: BinaryIO, group: int = 1) -> None:
    """Write the values of one array.

    Parameters
    ----------
    values : ndarray
        Of a type that :func:`read_dtype` takes; copied by blocks only, whatever its order in memory.
    sink : file
        Takes the bytes.
    group : int, optional
        How many values back the one is that is most like a value: the outputs of a point lie side by side. The
        number of values is a multiple of it.
    """
    import numpy as np

    word, lag = _word(values.dtype, group)
    source = values.reshape(-1) if values.flags.c_contiguous else values.flat
    little = values.dtype.newbyteorder("<")
    step = _block_values(values.dtype, group)
    for start in range(0, values.size, step):
        words: Words = np.ascontiguousarray(source[start : start + step], little).view(word)
        table, places = _find_table(words) if values.dtype.kind in "fc" else (words[:0], words)
        sink.write(_COUNT.pack(len(table)))
        if len(table):
            _pack_planes(table, sink, 1)
        _pack_planes(places, sink, lag)


def unpack_values(
    source: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...], group: int = 1
) -> tuple[Values, int]:
    """Read the values of one array back.

    Parameters
    ----------
    source : memoryview
        Begins with what :func:`pack_values` wrote.
    dtype : numpy.dtype
        From :func:`read_dtype`.
    shape : tuple of int
    group : int, optional
        The same as for packing.

    Returns
    -------
    values : ndarray
        Writable, and of its own.
    used : int
        The number of bytes read.

    Raises
    ------
    ResultError
        It is cut short or damaged.
    """
    import numpy as np

    if dtype.itemsize * math.prod(shape) > GREATEST_RATIO * len(source):
        raise damaged(f"{len(source):,} bytes cannot hold an array of {' x '.join(map(str, shape))}")
    word, lag = _word(dtype, group)
    values: Values = np.empty(shape, dtype)
    words: Words = values.reshape(-1).view(word)
    step = _block_values(dtype, group) * (dtype.itemsize // word.itemsize)
    used = 0
    for start in range(0, len(words), step):
        used += _unpack_block(source[used:], words[start : start + step], lag)
    if (dtype.kind == "b" and words.max(initial=0) > 1) or (dtype.kind == "U" and words.max(initial=0) > 0x10FFFF):
        raise damaged(f"it has bits that are no value of {dtype}")
    if dtype.newbyteorder("<") != dtype:
        words.byteswap(inplace=True)
    return values, used


def _word(dtype: np.dtype[Any], group: int) -> tuple[np.dtype[Any], int]:
    """The unsigned integer that lies under a type, and how many of them there are in a group of values."""
    import numpy as np

    size = {"U": 4, "S": 1, "c": dtype.itemsize // 2}.get(dtype.kind, dtype.itemsize)
    return np.dtype(f"<u{size}"), dtype.itemsize // size * group


def _block_values(dtype: np.dtype[Any], group: int) -> int:
    return max(1, BLOCK_BYTES // dtype.itemsize // group) * group


def _find_table(words: Words) -> tuple[Words, Words]:
    """The different values of a block in order, and the place of each word among them.

    Where they are too many there is no table, and the words stay.
    """
    import numpy as np

    none = words[:0], words
    if len(words) < _SAMPLED:
        return none
    _, counts = np.unique(words[:: len(words) // _SAMPLED], return_counts=True)
    if np.count_nonzero(counts > 1) < _SAMPLED // 32:
        return none
    # By hashing: numpy.unique sorts the whole block, which takes three times as long.
    import pandas as pd  # type: ignore[import-untyped]  # it ships no types, and its stubs are not installed

    codes, found = pd.factorize(words)
    if len(found) > min(_TABLE_SIZE, len(words) // _TABLE_SHARE):
        return none
    order = np.argsort(found)
    ranks = np.empty(len(found), "<u2")
    ranks[order] = np.arange(len(found), dtype="<u2")
    return found[order], ranks[codes]


def _unpack_block(source: memoryview, out: Words, lag: int) -> int:
    import numpy as np

    if len(source) < _COUNT.size:
        raise damaged("it is cut short")
    (count,) = _COUNT.unpack_from(source)
    used = _COUNT.size
    if not count:
        return used + _unpack_planes(source[used:], out, lag)
    if count > min(_TABLE_SIZE, len(out)):
        raise damaged("it has a table that cannot be")
    table: Words = np.empty(count, out.dtype)
    places: Words = np.empty(len(out), "<u2")
    used += _unpack_planes(source[used:], table, 1)
    used += _unpack_planes(source[used:], places, lag)
    if places.max() >= count:
        raise damaged("it has places that are not in its table")
    out[:] = table[places]
    return used


def _pack_planes(words: Words, sink: BinaryIO, lag: int) -> None:
    planes = [_deflate(plane) for plane in _planes(_differences(words, lag))]
    sink.write(_lengths(len(planes)).pack(*map(len, planes)))
    for plane in planes:
        sink.write(plane)


def _unpack_planes(source: memoryview, out: Words, lag: int) -> int:
    import numpy as np

    lengths = _lengths(out.dtype.itemsize)
    if len(source) < lengths.size:
        raise damaged("it is cut short")
    found = lengths.unpack_from(source)
    if max(found) > len(out) or sum(found) > len(source) - lengths.size:
        raise damaged("it is cut short, or has lengths that cannot be")
    octets = np.empty((len(out), len(found)), "u1")
    position = lengths.size
    for number, length in enumerate(found):
        octets[:, number] = np.frombuffer(_inflate(source[position : position + length], len(out)), "u1")
        position += length
    # In place, because new memory for each step takes three times as long.
    words: Words = octets.reshape(-1).view(out.dtype)
    signs: Words = np.bitwise_and(words, 1)
    np.negative(signs, out=signs)
    words >>= 1
    words ^= signs
    np.add.accumulate(words.reshape(-1, lag), axis=0, out=out.reshape(-1, lag))
    return position


def _differences(words: Words, lag: int) -> Words:
    """Differences modulo the size of a word; small ones of either sign become small numbers (zigzag)."""
    import numpy as np

    found = words.copy()
    found[lag:] -= words[:-lag]
    signs: Words = np.negative(found >> (8 * words.dtype.itemsize - 1))
    found <<= 1
    found ^= signs
    return found


def _planes(words: Words) -> list[memoryview]:
    """The first bytes of all words, the second bytes, and so on."""
    import numpy as np

    octets = words.view("u1").reshape(-1, words.dtype.itemsize)
    return [memoryview(plane) for plane in np.ascontiguousarray(octets.T)]


def _deflate(plane: memoryview) -> bytes | memoryview:
    if len(plane) > _RUNS * _RUN:
        between = (len(plane) - _RUN) // (_RUNS - 1)
        sample = b"".join(plane[run * between :][:_RUN] for run in range(_RUNS))
        if len(zlib.compress(sample, _LEVEL)) > _PAYS * len(sample):
            return plane
    found = zlib.compress(plane, _LEVEL)
    return found if len(found) < len(plane) else plane


def _inflate(plane: memoryview, size: int) -> bytes | memoryview:
    if len(plane) == size:
        return plane
    inflater = zlib.decompressobj()
    try:
        # One byte more than there should be, so that the end is seen, and no more, whatever it claims to hold.
        found = inflater.decompress(plane, size + 1)
    except zlib.error as error:
        raise damaged(str(error)) from None
    if len(found) != size or not inflater.eof or inflater.unused_data:
        raise damaged("a part of it has another size than announced")
    return found


def _lengths(planes: int) -> struct.Struct:
    return struct.Struct(f"<{planes}I")


def damaged(why: str) -> ResultError:
    """The error for a result that cannot be read."""
    return ResultError("The result is damaged", why=why, next_step="Run again")
