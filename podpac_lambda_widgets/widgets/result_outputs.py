"""What can be made of a result: files, and a variable of the notebook."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import ConfirmationRequiredError, PodpacLambdaError, ResultError
from podpac_lambda_widgets.model.base import StrictHasTraits
from podpac_lambda_widgets.widgets import notebook
from podpac_lambda_widgets.widgets.code import Code
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.result_code import plot_code
from podpac_lambda_widgets.widgets.result_display import COLOURS, DIFFERENCE, ResultDisplay
from podpac_lambda_widgets.widgets.result_files import FORMATS, WRITERS
from podpac_lambda_widgets.widgets.result_preparation import Shown
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.plots.slices import Slices
    from podpac_lambda_widgets.widgets.result_comparison import Comparison


#: What a Zarr link takes, in a line.
_WRITES = "The function computes it once more, and writes it into its bucket."
_NO_FUNCTION = "Only the result of a run has one: its function writes it into its bucket."


class Variable(StrictHasTraits):
    """The variable of the notebook that the result is to become."""

    variable = tl.Unicode("result", help="An xarray.DataArray with coordinates and where it comes from.").tag(
        label="Put into the notebook as"
    )


class ResultOutputs(Form):
    """The part of the form that makes something of the result.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    display, variable : ResultDisplay, Variable
        The models behind the form.
    variables, set_variable : callable
        Gives the variables of the notebook; sets one of them.
    traits
        Of the form.
    """

    #: Where the result lies in the bucket as Zarr; empty where it does not.
    zarr = tl.Unicode().tag(sync=True)

    def __init__(
        self,
        worker: Worker,
        display: ResultDisplay,
        variable: Variable,
        variables: Callable[[], Mapping[str, object]],
        set_variable: Callable[[str, object], None],
        **traits: Any,
    ) -> None:
        self.display, self.variable = display, variable
        self._variables, self._set_variable = variables, set_variable
        self._shown: Shown | None = None
        self._comparison: Comparison | None = None
        #: The view whose button was pressed last.
        self._asking = ""
        super().__init__(worker, **traits)
        self.bind(variable, ("variable",))
        for name in FORMATS:
            self.on_action(f"download_{name}", functools.partial(self._download, name), disabled=True)
        self.on_action("zarr", self.write_zarr, disabled=True)
        self.on_action("put", self._put_if_free, disabled=True)
        self.on_action("replace", lambda: self.put(self.variable.variable, replace=True))
        self.on_action("keep", self._withdraw_question)

    @property
    def result(self) -> Result | None:
        """The result that is shown."""
        return self._shown.result if self._shown else None

    def encode(self, name: str) -> bytes:
        """The result as a file, with where it comes from among its attributes.

        Parameters
        ----------
        name : {"netcdf", "geotiff", "png", "csv"}
            A PNG shows what the form shows; the others hold the whole result.

        Raises
        ------
        ResultError
            There is no result, or it does not fit into such a file.
        DependencyMissingError
            The format needs a package that is not installed.
        """
        return self._encoder(name)()

    def save(self, path: Path | str) -> Path:
        """Write the result as a file on the kernel's machine; the ending of its name says which kind.

        Raises
        ------
        ResultError
            There is no result yet, or no such kind; or the file cannot be written there.
        """
        path = Path(path)
        self._present()
        found = [name for name, each in FORMATS.items() if each.suffix == path.suffix.lower()]
        if not found:
            endings = ", ".join(each.suffix for each in FORMATS.values())
            raise ResultError(f"There is no kind of file for {path.name!r}", next_step=f"End it with one of {endings}.")
        from podpac_lambda_widgets.engine.results import write_file

        return write_file(path, self.encode(found[0]))

    def write_code(self) -> Code:
        """The plane that is shown as a PNG, of a difference too, and the whole result as netCDF."""
        shown = self._shown
        if shown is None:
            return Code(self.title)
        slices = None if shown.slices is None else self._slices()
        compared = self._comparison if self.display.shown == DIFFERENCE else None
        return plot_code(self.title, shown, slices, self.display, compared)

    def put(self, name: str, *, replace: bool = False) -> None:
        """Put the result into the notebook as a variable.

        Raises
        ------
        InvalidValueError
            Not a name for a variable.
        ConfirmationRequiredError
            There is such a variable, and ``replace`` is not set.
        """
        array = self._present().array
        name = notebook.check_name(name, "variable")
        if name in self._variables() and not replace:
            raise ConfirmationRequiredError(
                f"There is a variable {name} in the notebook. Replace it by the result?",
                next_step="Choose another name, or replace it.",
            )
        self._set_variable(name, array.copy(deep=False))
        self._withdraw_question()
        self.forget_errors()
        self.stand("done", f"In the notebook as {name}")

    def write_zarr(self) -> None:
        """Do what the Zarr link button does: the function computes the result once more, and writes it into its bucket.

        Raises
        ------
        ResultError
            There is no result yet, or no function that has made it.
        """
        shown = self._present()
        if shown.zarr.write is None:
            raise ResultError("There is no Zarr link", why=_NO_FUNCTION)

        def written(address: str, error: PodpacLambdaError | None) -> None:
            shown.zarr.address = address
            if self._shown is shown:
                self._show_link()
                if error is not None:
                    self.show_error(error)
                else:
                    self.forget_errors()
                    self.stand("done", "In the bucket as Zarr")

        before = self.standing, self.note
        self.forget_errors()
        self.set_button("zarr", disabled=True)
        self.stand("working", "The function writes it into its bucket …")
        try:
            # It may have ended by the time that this returns.
            shown.zarr.write(written)
        except PodpacLambdaError:
            self._show_link()
            self.stand(*before)
            raise

    def _show_link(self) -> None:
        """Show the link, or what it would take."""
        link = self._present().zarr
        note = "" if link.address else _NO_FUNCTION if link.write is None else _WRITES
        self.set_button("zarr", disabled=bool(link.address) or link.write is None, note=note)
        self.zarr = link.address

    def _slices(self) -> Slices:
        """What is shown."""
        raise NotImplementedError

    def _present(self) -> Shown:
        if self._shown is None:
            raise ResultError("There is no result yet", next_step="Run a pipeline first.")
        return self._shown

    def _allow_outputs(self) -> None:
        for name in (*(f"download_{each}" for each in FORMATS), "put"):
            self.set_button(name, disabled=False)
        self._show_link()

    def _put_if_free(self) -> None:
        try:
            self.put(self.variable.variable)
        except ConfirmationRequiredError as error:
            self.question = error.what

    def _withdraw_question(self) -> None:
        self.question = ""

    def _encoder(self, name: str) -> Callable[[], bytes]:
        """What writes the file, of the result and the display as they are now."""
        if name not in FORMATS:
            raise ResultError(f"There is no format {name!r}", next_step=f"There is: {', '.join(FORMATS)}.")
        shown = self._present()
        if name in WRITERS:
            return functools.partial(WRITERS[name], shown.array)
        return _photo_encoder(self._slices()) if self.display.shown == COLOURS else self._plot_encoder(shown)

    def _plot_encoder(self, shown: Shown) -> Callable[[], bytes]:
        from podpac_lambda_widgets import plots
        from podpac_lambda_widgets.widgets.result_display import make_scale

        if shown.slices is None:
            return lambda: plots.render_png(plots.draw(shown.array))
        slices = self._slices()
        scale = make_scale(slices, self.display)
        limits = None if scale.classes else scale.limits
        array, colours = slices.selected(), self.display.map_name
        return lambda: plots.render_png(plots.draw(array, colour_map=colours, limits=limits))

    def _download(self, name: str) -> None:
        shown, view, encode = self._present(), self._asking, self._encoder(name)
        kind = FORMATS[name]
        stem = f"{shown.name}-difference" if name == "png" and self.display.shown == DIFFERENCE else shown.name
        self.stand("working", f"Writing the {kind.label} file …")

        def written(body: bytes) -> None:
            self.forget_errors()
            self.stand("done", f"{stem}{kind.suffix} is written")
            self.send({"type": "file", "name": stem + kind.suffix, "mime": kind.mime, "view": view}, buffers=[body])

        self.start(f"Writing the {kind.label} file", lambda task: encode(), written, quiet=True)


def _photo_encoder(slices: Slices) -> Callable[[], bytes]:
    from matplotlib.image import imsave

    def encode() -> bytes:
        height, width = (slices.array.sizes[dim] for dim in slices.plane)
        stream = io.BytesIO()
        # A PNG begins with its uppermost row.
        imsave(stream, slices.photo(width, height).values[::-1], format="png")
        return stream.getvalue()

    return encode
