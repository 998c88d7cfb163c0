"""Keeps session tokens out of botocore's DEBUG log, which prints the headers of every request."""

from __future__ import annotations

import logging
import re

#: The loggers of botocore that print signed requests (found by searching a DEBUG log for a planted token).
_LOGGERS = ("botocore.auth", "botocore.endpoint")
_TOKEN = re.compile(r"""(x-amz-security-token['"]?\s*[:=]\s*b?['"]?)[^\s'",&]+""", re.IGNORECASE)


class _TokenMask(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        masked = _TOKEN.sub(r"\1********", text)
        if masked != text:
            record.msg, record.args = masked, ()
        return True


_MASK = _TokenMask()


def mask_session_tokens() -> None:
    """Mask session tokens in botocore's log from now on; may be called again and again."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_MASK)
