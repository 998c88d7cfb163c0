"""Traits that say in a sentence what they allow, and objects that refuse a misspelt keyword."""

from __future__ import annotations

import math
import numbers
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import traitlets as tl

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.shown import traits_html, traits_text

if TYPE_CHECKING:
    TextDict = tl.Dict[str, str]
    AnyDict = tl.Dict[str, Any]
    AnyEnum = tl.Enum[Any]
else:
    # traitlets declares these generic for type checkers only.
    TextDict, AnyDict, AnyEnum = tl.Dict, tl.Dict, tl.Enum


class InvalidTraitError(InvalidValueError, tl.TraitError):
    """A value that a trait refuses: ours, and traitlets', so that both kinds of caller catch it."""


class StrictHasTraits(tl.HasTraits):
    """Traits with no room for a misspelt keyword (traitlets itself only warns)."""

    def __init__(self, **values: Any) -> None:
        for name in values:
            if not self.has_trait(name):
                close = get_close_matches(name, self.trait_names(), n=1)
                raise InvalidTraitError(
                    f"{type(self).__name__} has no {name!r}",
                    field=name,
                    next_step=f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(self.trait_names())}.",
                )
        super().__init__(**values)

    def __repr__(self) -> str:
        return traits_text(self, self.trait_names())

    def _repr_html_(self) -> str:
        return traits_html(self, self.trait_names(), type(self).__name__)


def refuse(obj: tl.HasTraits | None, trait: tl.TraitType[Any, Any], problem: str, *, next_step: str = "") -> NoReturn:
    """Raise :class:`InvalidTraitError` for a trait, naming it as the form does."""
    field = trait.name or ""
    label = str(trait.metadata.get("label") or field)
    raise InvalidTraitError(f"{label}: {problem}", field=field, next_step=next_step)


class Text(tl.Unicode[str, Any]):
    """A line of text that has to match a pattern.

    Parameters
    ----------
    pattern : str
        Regular expression the whole value has to match.
    rule : str
        What is allowed, as a sentence for a person.
    may_be_empty : bool
        Whether an empty value means that the choice is left to us.
    """

    def __init__(
        self,
        default_value: str = "",
        *,
        pattern: str = ".*",
        rule: str = "",
        may_be_empty: bool = True,
        **kwargs: Any,
    ) -> None:
        self.pattern = re.compile(pattern)
        self.rule = rule
        self.may_be_empty = may_be_empty
        super().__init__(default_value, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        if value is None and self.may_be_empty:
            # PODPAC's own way to say that nothing was chosen.
            return ""
        if not isinstance(value, str):
            refuse(obj, self, f"must be text, not {type(value).__name__}.")
        value = _composed(value.strip(), lambda text: self.pattern.fullmatch(text) is not None)
        if (value or not self.may_be_empty) and not self.pattern.fullmatch(value):
            refuse(obj, self, self.rule)
        return str(value)


def _composed(text: str, fits: Callable[[str], bool]) -> str:
    """Letters that come in two parts, as macOS writes them (an e and its accent), in one, where only that fits."""
    composed = unicodedata.normalize("NFC", text)
    return composed if fits(composed) and not fits(text) else text


class WholeNumber(tl.Int[Any, Any]):
    """A whole number inside a range, both ends allowed; None too, where that is its default.

    Parameters
    ----------
    between : tuple of int
        Lowest and highest allowed value.
    unit : str
        Unit for the message and the form, such as ``"MB"``.
    """

    def __init__(self, default_value: int | None, *, between: tuple[int, int], unit: str = "", **kwargs: Any) -> None:
        self.between = between
        self.unit = unit
        extra = {"min": between[0], "max": between[1], **kwargs}
        if default_value is None:
            super().__init__(None, allow_none=True, **extra)
        else:
            super().__init__(default_value, **extra)

    def validate(self, obj: Any, value: Any) -> int:
        low, high = self.between
        # numpy's numbers are Numbers too.
        whole = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
        if not whole or value != int(value) or not low <= value <= high:
            refuse(
                obj, self, f"must be a whole number from {low:,} to {high:,} {self.unit}".rstrip() + f", not {value!r}."
            )
        return int(value)


#: The most tags that a person may give one resource: two places are kept for those that mark what is ours.
TAGS = limits.TAGS - 2
#: What the keys of those that mark what is ours begin with.
OWN_TAGS_PREFIX = "podpac-lambda-widgets:"


class Tags(TextDict):
    """AWS resource tags, as IAM takes them, the strictest service (IAM API reference, Tag); none that AWS or we set."""

    def validate(self, obj: Any, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping):
            refuse(obj, self, f"must be a mapping of keys to values, not {type(value).__name__}.")
        if len(value) > TAGS:
            refuse(obj, self, f"at most {TAGS} tags, not {len(value)}.")
        tags = {_composed_tag(key): _composed_tag(text) for key, text in value.items()}
        for key, text in tags.items():
            self._check_tag(obj, key, text)
        alike = find_keys_alike(tags)
        if alike:
            refuse(obj, self, f"the keys {alike[0]!r} and {alike[1]!r} differ only in case: AWS takes them for one.")
        return tags

    def _check_tag(self, obj: Any, key: object, text: object) -> None:
        if not isinstance(key, str) or not isinstance(text, str):
            refuse(obj, self, "keys and values must be text.")
        if not 1 <= len(key) <= limits.TAG_KEY_CHARACTERS or not _is_tag_text(key):
            refuse(
                obj,
                self,
                f"the key {key!r} must have 1 to {limits.TAG_KEY_CHARACTERS} letters, digits, spaces or _.:/=+-@",
            )
        if key.casefold().startswith("aws:"):
            refuse(obj, self, f"the key {key!r} is reserved by AWS.")
        if key.casefold().startswith(OWN_TAGS_PREFIX):
            refuse(obj, self, f"the key {key!r} is reserved: by such keys this package tells what is its own.")
        if len(text) > limits.TAG_VALUE_CHARACTERS or not _is_tag_text(text):
            refuse(
                obj,
                self,
                f"the value of {key!r} must have at most {limits.TAG_VALUE_CHARACTERS} letters, digits, spaces "
                "or _.:/=+-@",
            )


def _composed_tag(text: Any) -> Any:
    return _composed(text, _is_tag_text) if isinstance(text, str) else text


def _is_tag_text(text: str) -> bool:
    r"""Whether all is in ``[\p{L}\p{Z}\p{N}_.:/=+\-@]``, which :mod:`re` cannot say."""
    return all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN" for character in text)


def find_keys_alike(keys: Iterable[str]) -> tuple[str, str] | None:
    """Two keys that differ only in case; None when there are none."""
    seen: dict[str, str] = {}
    for key in keys:
        first = seen.setdefault(key.casefold(), key)
        if first != key:
            return first, key
    return None


class OneOf(AnyEnum):
    """One of a fixed list of values; who gives another is offered the nearest."""

    def validate(self, obj: Any, value: Any) -> Any:
        # 1 == 1.0 == True, but AWS tells them apart.
        if not any(value == choice and type(value) is type(choice) for choice in self.values or ()):
            choices = ", ".join(str(choice) for choice in self.values or ())
            refuse(obj, self, f"must be one of {choices}, not {value!r}.", next_step=self._offer(value))
        return value

    def _offer(self, value: object) -> str:
        allowed = [choice for choice in self.values or () if type(choice) is int]
        if allowed and isinstance(value, numbers.Real) and math.isfinite(value):
            # Of two that are equally near the larger, which keeps more.
            return f"The nearest is {min(allowed, key=lambda choice: (abs(choice - value), -choice))}."
        texts = {choice.lower(): choice for choice in self.values or () if isinstance(choice, str) and choice}
        close = get_close_matches(value.lower(), texts, n=1) if isinstance(value, str) else []
        return f"Did you mean {texts[close[0]]!r}?" if close else ""


class FilePath(tl.Unicode[str, Any]):
    """A file on this machine, as text or as a path; ``~`` is the home folder."""

    def validate(self, obj: Any, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str | os.PathLike):
            refuse(obj, self, f"must be a path, not {type(value).__name__}.")
        path = os.fspath(value)
        if not isinstance(path, str) or "\0" in path:
            refuse(obj, self, "must be a path.")
        return str(Path(path.strip()).expanduser()) if path.strip() else ""


class Names(tl.Tuple):
    """Any number of values of one trait, each once, in the order given.

    A tuple: a list that grows behind our back would not be checked again.
    """

    def __init__(self, each: tl.TraitType[Any, Any], *, default_value: tuple[Any, ...] = (), **kwargs: Any) -> None:
        self.each = each
        super().__init__(default_value=default_value, **kwargs)

    def validate(self, obj: Any, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            refuse(obj, self, f"must be a list, not {type(value).__name__}.")
        self.each.name = self.name
        return tuple(dict.fromkeys(self.each._validate(obj, item) for item in value))
