"""Fakes of the engine's own ports."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("fake_account", Path(__file__).with_name("fake_account.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
sys.modules["fake_account"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(sys.modules["fake_account"])
