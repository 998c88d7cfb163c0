"""What several test modules of the function share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).parent


def _load(name: str, path: Path) -> None:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])


collect_ignore = ["test_equality.py", "test_in_the_function.py"]
if importlib.util.find_spec("podpac") is not None:
    collect_ignore = []
    for _name in ("comparison", "equality_cases", "source_cases"):
        _load(_name, _HERE / "equality" / f"{_name}.py")
