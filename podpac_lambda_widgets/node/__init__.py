"""``Lambda``, the node PODPAC users know."""

from __future__ import annotations

from podpac_lambda_widgets.node.installed import settings as settings
from podpac_lambda_widgets.node.lambda_node import Lambda as Lambda
