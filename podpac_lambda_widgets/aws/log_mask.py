"""Keeps credentials out of botocore's DEBUG log, which prints requests with their headers, and answers whole."""

from __future__ import annotations

import logging
import re

#: The loggers of botocore that print requests, answers, or the text of errors made of them. Found by searching
#: botocore's source for what it logs, and a DEBUG log for planted tokens.
_LOGGERS = (
    "botocore.auth",
    "botocore.credentials",
    "botocore.endpoint",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.regions",
    "botocore.retryhandler",
    "botocore.tokens",
    "botocore.utils",
)
#: What holds a secret, by its name in STS, SSO, SSO-OIDC, the metadata services, and headers.
_NAMES = (
    "SecretAccessKey|SessionToken|WebIdentityToken|SAMLAssertion|AccessToken|RefreshToken|IdToken|ClientSecret|"
    "AuthorizationToken|CodeVerifier|DeviceCode|Token|X-Amz-Security-Token|X-Amz-Sso_bearer_token|"
    "X-Aws-Ec2-Metadata-Token"
)
_MASK = "********"
_NAME = rf"(?<![A-Za-z0-9_-])(?:{_NAMES})"
# XML, in which a value ends where the next tag begins.
_ELEMENT = re.compile(rf"(<(?:{_NAMES})>)[^<]*", re.IGNORECASE)
# JSON, reprs, forms and headers; quotes may be escaped, once or more, where one is inside another.
_QUOTED = re.compile(rf"""({_NAME}\\*["']?\s*[:=]\s*b?(\\*["']))(?:(?!\2).)+""", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"""({_NAME}\\*["']?\s*[:=]\s*)(?![\s"'\\b]*["'])[^\s'",&<>}}\\]+""", re.IGNORECASE)
_BEARER = re.compile(r"(Bearer\s+)[^\s'\",\\]+", re.IGNORECASE)


def mask_secrets(text: str) -> str:
    """Replace the values of all that is named like a secret key or a token; the rest of the text stays."""
    text = _ELEMENT.sub(rf"\1{_MASK}", text)
    text = _QUOTED.sub(rf"\1{_MASK}", text)
    text = _BARE.sub(rf"\1{_MASK}", text)
    return _BEARER.sub(rf"\1{_MASK}", text)


class _SecretMask(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        masked = mask_secrets(text)
        if masked != text:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            # A formatter that finds this does not format the traceback again.
            record.exc_text = mask_secrets(logging.Formatter().formatException(record.exc_info))
        return True


_FILTER = _SecretMask()


def mask_credentials() -> None:
    """Mask secret keys and tokens in botocore's log from now on; may be called again and again."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
