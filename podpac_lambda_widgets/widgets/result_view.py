"""Results: what came back, as a plot, in numbers, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.widgets.fields import action, actions
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.texts import data_size
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.results import Result

#: Registered with IANA for netCDF.
NETCDF_MIME = "application/x-netcdf"


@dataclass(frozen=True)
class Shown:
    """A result, made ready to be shown.

    Parameters
    ----------
    result : Result
        The result itself.
    png : bytes
        Its plot.
    width : int
        Width of the plot in CSS pixels.
    alt : str
        The plot in words.
    facts : list of (term, value)
        Its numbers.
    name : str
        What the file is called, without its ending.
    """

    result: Result
    png: bytes
    width: int
    alt: str
    facts: list[list[Any]]
    name: str


def prepare_result(name: str, result: Result, provenance: Mapping[str, str]) -> Shown:
    """Draw and describe a result. Takes a second: not for the kernel's main thread.

    Parameters
    ----------
    name : str
        What the result is called where the array has no name.
    result : Result
        What came back.
    provenance : mapping of str to str
        Term and value of where it comes from.
    """
    from podpac_lambda_widgets import plots

    array = result.array if result.array.name else result.array.rename(name)
    figure = plots.draw(array)
    times = [["Time taken", f"{result.elapsed:.1f} s"]]
    if result.billed_ms is not None:
        times.append(["Billed", f"{result.billed_ms / 1000:.1f} s"])
    facts = [*plots.describe(array), ["File", data_size(len(result.netcdf))], *times]
    facts += [[term, value] for term, value in provenance.items()]
    return Shown(
        result=result,
        png=plots.render_png(figure),
        width=round(figure.get_figwidth() * plots.CSS_DPI),
        alt=plots.describe_in_words(array),
        facts=facts,
        name=name,
    )


class ResultView(Form):
    """Shows a result. The plot and the file go to the page as buffers, so that the notebook does not grow."""

    #: The plot in words, its width and its revision; without ``alt`` there is none.
    picture = tl.Dict().tag(sync=True)

    def __init__(self, worker: Worker) -> None:
        self._shown: Shown | None = None
        super().__init__(
            worker,
            title="Results",
            purpose="The plot, the numbers, and the file.",
            icon="chart",
            blocks=[
                {"block": "card"},
                {"block": "picture", "empty": "Nothing to see yet. Run a pipeline, and its plot appears here."},
                {"block": "facts"},
                actions(action("download", "Download NetCDF", "secondary", "download")),
            ],
        )
        self.on_action("download", lambda: None, disabled=True)
        self.stand("waiting", "No result yet")

    @property
    def result(self) -> Result | None:
        """The result that is shown."""
        return self._shown.result if self._shown else None

    def show(self, shown: Shown) -> None:
        """Show a result in place of the one before."""
        self._shown = shown
        self.forget_errors()
        self.facts = shown.facts
        revision = int(self.picture.get("revision", 0)) + 1
        self.picture = {"alt": shown.alt, "width": shown.width, "revision": revision}
        self.set_button("download", disabled=False)
        self.stand("done", f"{shown.name}: in the notebook as studio.result")

    def save(self, path: Path | str) -> Path:
        """Write the result as a NetCDF file on the kernel's machine.

        Raises
        ------
        ResultError
            There is no result yet.
        """
        path = Path(path)
        path.write_bytes(self._present().result.netcdf)
        return path

    def handle_message(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Handle one message of the front end: it asks for the plot when it draws, and for the file on a click."""
        kind = content.get("type")
        if kind == "picture" and self._shown:
            self.send({"type": "picture"}, buffers=[self._shown.png])
        elif kind == "action" and content.get("name") == "download" and self._shown:
            name = f"{self._shown.name}.nc"
            # Only the view that asked saves the file, however many there are.
            self.send(
                {"type": "file", "name": name, "mime": NETCDF_MIME, "view": content.get("view")},
                buffers=[self._shown.result.netcdf],
            )
        elif kind != "action":
            super().handle_message(content, buffers)

    def _present(self) -> Shown:
        if self._shown is None:
            raise ResultError("There is no result yet", next_step="Run a pipeline first.")
        return self._shown
