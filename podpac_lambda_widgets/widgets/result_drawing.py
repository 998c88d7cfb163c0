"""The picture of a result: what of it is drawn, and what there is under the pointer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.widgets.drawn import PACKED
from podpac_lambda_widgets.widgets.result_display import COLOURS, DIFFERENCE
from podpac_lambda_widgets.widgets.result_outputs import ResultOutputs

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.pieces import Point
    from podpac_lambda_widgets.plots.slices import Slices

#: Most pixels along one side of a picture, whatever a page asks for.
_PIXELS = 2048


class ResultDrawing(ResultOutputs):
    """The part of the form that draws the result, and answers where somebody points.

    Parameters
    ----------
    parts, traits
        See :class:`ResultOutputs`.
    """

    #: What the page draws before the pixels come: kind, alt, title, remark, sentence, map, coastline, revision.
    picture = tl.Dict().tag(**PACKED)

    def __init__(self, *parts: Any, **traits: Any) -> None:
        self._pixels = (1, 1)
        super().__init__(*parts, **traits)

    def slide(self, dim: str, index: int) -> None:
        """Move the plane that is shown along another dimension.

        Raises
        ------
        ResultError
            There is no result, or it has no such dimension to move along.
        """
        slices = self._slices()
        known = {str(each): each for each in slices.others}
        if dim not in known:
            raise ResultError(
                f"The plane cannot be moved along {dim!r}",
                next_step=f"There is: {', '.join(known)}." if known else "All of the result is shown.",
            )
        slices.move(known[dim], index)
        self._send_picture()

    def inspect(self, x: float, y: float = 0.0) -> Point:
        """The value of the cell at a place along the axes that are shown: its coordinates, its value and its index.

        Parameters
        ----------
        x, y : float
            Degrees, numbers in the coordinate's units, or milliseconds since 1970; for a line, x alone.
        """
        return self._slices().point_at(x, y, photo=self.display.shown == COLOURS)

    def thumbnail(self) -> bytes:
        """The plane that is shown as a small PNG; nothing for a line or a single value."""
        from podpac_lambda_widgets.widgets.result_thumbnail import draw_thumbnail

        shown = self._shown
        return b"" if shown is None or shown.slices is None else draw_thumbnail(self._slices(), self.display)

    # The front end

    def handle_message(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Handle one message of the front end: it asks for pixels when it draws, and for values under the pointer."""
        kind, view = content.get("type"), str(content.get("view", ""))
        if kind == "action":
            # Only the view that asked saves the file, however many there are.
            self._asking = view
        if kind not in ("picture", "slide", "inspect", "profile"):
            super().handle_message(content, buffers)
        elif self._shown is not None and self._shown.slices is not None:
            self._answer(str(kind), content, view)

    def _answer(self, kind: str, content: Mapping[str, Any], view: str) -> None:
        from podpac_lambda_widgets.widgets.result_pictures import point_message, profile_message

        slices = self._slices()
        if kind == "picture":
            asked = (_whole(content.get(name)) for name in ("width", "height"))
            width, height = (max(1, min(each, _PIXELS)) for each in asked)
            self._pixels = (max(width, self._pixels[0]), max(height, self._pixels[1]))
            self._send_picture()
        elif kind == "slide" and str(content.get("dim")) in map(str, slices.others):
            self.slide(str(content["dim"]), _whole(content.get("index")))
        elif kind in ("inspect", "profile"):
            point = self._point(content)
            if kind == "inspect":
                self._send_message(point_message(point, view, self._values_at(point)))
            else:
                title = " · ".join(text for _, text in point.places)
                is_time = slices.array.dtype.kind == "M"
                self._send_message(profile_message(slices.profiles(point), title, view, time=is_time))

    def _point(self, content: Mapping[str, Any]) -> Point:
        photo = self.display.shown == COLOURS
        if "column" in content:
            return self._slices().point(_whole(content["column"]), _whole(content.get("row")), photo=photo)
        x, y = (_number(content.get(name)) for name in ("x", "y"))
        return self._slices().point_at(x, y, photo=photo)

    def _values_at(self, point: Point) -> list[tuple[str, str]] | None:
        if self._comparison is None:
            return None
        slices = self._present().slices
        return None if slices is None else self._comparison.values_at(slices, point)

    # What is drawn

    def _slices(self) -> Slices:
        shown = self._present()
        if self.display.shown == DIFFERENCE and self._comparison is not None:
            return self._comparison.difference
        if shown.slices is None:
            raise ResultError("The result cannot be drawn", why=shown.sentence)
        return shown.slices

    def _draw(self) -> None:
        """Draw what is to be shown, as it is by now."""
        from podpac_lambda_widgets.plots.remarks import remarks_of

        shown = self._present()
        geographic, remarks = False, list[str]()
        if shown.slices is not None:
            slices = self._slices()
            chosen = [plane for plane in slices.planes if plane_text(plane) == self.display.plane]
            photo = self.display.shown == COLOURS
            slices.plane = chosen[0] if chosen and not photo else slices.planes[0]
            geographic = [slices.axes[dim].kind for dim in slices.plane] == ["lat", "lon"]
            remarks = remarks_of(slices)
        self.facts = [*shown.facts, *(self._comparison.facts if self._comparison else ())]
        self.picture = {
            "kind": "sentence" if shown.slices is None else "picture",
            "sentence": shown.sentence,
            "alt": shown.alt,
            "title": self._title(),
            "remark": " ".join(remarks),
            "map": geographic,
            "coastline": self.display.coastline,
            "revision": int(self.picture.get("revision", 0)) + 1,
        }

    def _title(self) -> str:
        from podpac_lambda_widgets.plots import title_of

        title = title_of(self._present().array)
        if self.display.shown == DIFFERENCE and self._comparison is not None:
            return f"{title} − {self._comparison.name}"
        return title

    def _send_picture(self) -> None:
        from podpac_lambda_widgets.widgets.result_pictures import picture_message

        self._send_message(picture_message(self._slices(), self.display, *self._pixels))

    def _send_message(self, message: tuple[dict[str, Any], list[bytes]]) -> None:
        content, buffers = message
        self.send(content, buffers=buffers)


def plane_text(plane: Sequence[object]) -> str:
    """The two dimensions of a plane, or the one of a line, as a choice."""
    return " × ".join(map(str, plane))


def _number(value: object) -> float:
    """A number of a message; 0 for what is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _whole(value: object) -> int:
    """A whole number of a message; 0 for what is none."""
    return int(value) if isinstance(value, int | float) and abs(value) < 2**31 else 0
