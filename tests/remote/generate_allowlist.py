"""Write ``podpac_lambda_widgets/remote/allowlist.json`` from the node classes of the installed podpac.

Run it after moving to another podpac, and review the difference: ``python tests/remote/generate_allowlist.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

from podpac_lambda_widgets.packaging.podpac_nodes import describe_podpac_nodes

FILE = Path(__file__).parents[2] / "podpac_lambda_widgets" / "remote" / "allowlist.json"

generate = describe_podpac_nodes


def as_text() -> str:
    """The file's text."""
    return json.dumps(generate(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text())
    print(FILE)
