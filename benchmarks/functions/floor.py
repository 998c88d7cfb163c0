"""What no function can be faster than that has its numbers in xarray: import it, with the files in place."""

import time

import measure
import numpy as np  # noqa: F401 - the import is the purpose
import pandas as pd  # noqa: F401
import xarray as xr  # noqa: F401


def handler(event: dict, context: object) -> object:
    """Answer with nothing."""
    measure.note_answer(time.process_time())
    return measure.tell({"measure": 0}) if "measure" in event else b""
