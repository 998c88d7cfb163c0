"""What is only tried where podpac is."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("podpac") else ["test_equality.py", "test_in_the_function.py"]
