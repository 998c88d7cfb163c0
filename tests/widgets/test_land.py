"""The outline of the land that maps are drawn with."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.path import Path

from podpac_lambda_widgets.widgets.page import Page, read_land

_BOOK: dict[str, Any] = json.loads(read_land())


def read_path(text: str) -> list[tuple[np.ndarray, bool]]:
    """Points in degrees, shape (points, 2), of each part of an SVG path, and whether it is closed."""
    parts = []
    for part in re.findall(r"M[^M]+", text):
        steps = np.array([int(number) for number in re.findall(r"-?\d+", part)]).reshape(-1, 2)
        parts.append((steps.cumsum(axis=0) * _BOOK["unit"], part.endswith("z")))
    return parts


LAND = read_path(_BOOK["land"])
CAP = read_path(_BOOK["cap"])


def is_land(lon: float, lat: float) -> bool:
    """By the even-odd rule, with which lakes and islands are told apart; an open part is closed to be filled."""
    return sum(Path(points).contains_point((lon, lat)) for points, _ in LAND + CAP) % 2 == 1


def test_no_segment_crosses_the_world() -> None:
    steps = [abs(x - to_x) for points, _ in LAND for (x, _), (to_x, _) in pairwise(points)]
    closing = [abs(points[0, 0] - points[-1, 0]) for points, closed in LAND if closed]
    assert max(steps + closing) < 30


def test_every_point_is_on_the_earth() -> None:
    points = np.concatenate([points for points, _ in LAND + CAP])
    assert len(points) > 5000
    assert np.abs(points[:, 0]).max() == 180
    assert points[:, 1].min() == -90
    assert 83 < points[:, 1].max() < 84


def test_no_coast_is_drawn_along_the_date_line() -> None:
    for points, _ in LAND:
        assert not any(abs(x) == 180 == abs(to_x) for (x, _), (to_x, _) in pairwise(points))


def test_what_was_cut_ends_at_the_date_line() -> None:
    ends = [abs(points[end, 0]) for points, closed in LAND if not closed for end in (0, -1)]
    assert ends == [180] * 12


@pytest.mark.parametrize(
    ("lon", "lat", "land"),
    [
        (2.35, 48.85, True),
        (-100, 40, True),
        (178, 67, True),
        (-175, 67, True),
        (0, -89.9, True),
        (179, -86, True),
        (25, -29.5, True),
        (-150, 0, False),
        (179.9, 0, False),
        (51, 42, False),
        (0, 89, False),
    ],
)
def test_land_is_where_it_is(lon: float, lat: float, land: bool) -> None:
    assert is_land(lon, lat) is land


def test_the_file_is_small_and_says_where_it_is_from() -> None:
    assert len(read_land()) < 60_000
    assert "Natural Earth" in _BOOK["source"]
    assert "public domain" in _BOOK["licence"]


def test_a_page_gets_it_by_a_message() -> None:
    page = Page([])
    sent = []
    page.send = lambda content, buffers=None: sent.append((content, buffers))
    page._receive(page, {"type": "land"}, [])
    assert sent == [({"type": "land"}, [read_land()])]
    assert len(json.dumps(page.get_state(), default=str)) < 5_000
