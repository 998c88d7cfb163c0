"""A DataArray as a matplotlib Figure, as the numbers a canvas draws, and in words.

Nothing here knows a widget, and nothing uses pyplot, which keeps state that belongs to no thread and draws blank plots
from a notebook's message handlers.
"""

from podpac_lambda_widgets.plots.figure import PNG_DPI, draw, render_png
from podpac_lambda_widgets.plots.values import describe, describe_in_words, title_of, undrawable, units_of

__all__ = [
    "PNG_DPI",
    "describe",
    "describe_in_words",
    "draw",
    "render_png",
    "title_of",
    "undrawable",
    "units_of",
]
