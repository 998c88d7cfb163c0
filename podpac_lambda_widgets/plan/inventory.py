"""Every stack of ours in an account's region, for people: so that nothing is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from podpac_lambda_widgets.plan.account import Identity, StackRecord

_COLUMNS = ("Stack", "Since", "Code", "Stored", "Calls this month", "Resources")
_UNKNOWN = "may not be read"


@dataclass(frozen=True)
class Inventory:
    """The stacks of an account in one region.

    Parameters
    ----------
    identity : Identity
        Who looked, and where.
    stacks : tuple of StackRecord
    """

    identity: Identity
    stacks: tuple[StackRecord, ...]

    def rows(self, now: datetime | None = None) -> list[tuple[str, ...]]:
        """Name, age, code, what is stored, calls of this month and number of resources of each stack."""
        moment = now or datetime.now(UTC)
        return [
            (
                each.stack,
                _age(each.created, moment),
                _megabytes(each.code_bytes),
                _stored(each),
                _UNKNOWN if each.invocations is None else f"{each.invocations:,}",
                str(len(each.resources)),
            )
            for each in self.stacks
        ]

    @property
    def title(self) -> str:
        """How many there are, and where."""
        count = len(self.stacks)
        how_many = "No stack" if not count else f"{count} stack{'s' if count > 1 else ''}"
        return f"{how_many} in account {self.identity.account}, {self.identity.region}"

    def __str__(self) -> str:
        table = [_COLUMNS, *self.rows()] if self.stacks else []
        widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))] if table else []
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join([self.title, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        caption = f'<caption style="text-align:left">{escape(self.title)}</caption>'
        head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows()
        )
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _age(created: datetime | None, now: datetime) -> str:
    if created is None:
        return _UNKNOWN
    days = max(0, (now - created).days)
    return f"{created.astimezone(UTC):%Y-%m-%d} ({days:,} day{'' if days == 1 else 's'})"


def _megabytes(size: int | None) -> str:
    return _UNKNOWN if size is None else f"{size / 1e6:,.1f} MB"


def _stored(record: StackRecord) -> str:
    if record.stored_bytes is None or record.stored_objects is None:
        return _UNKNOWN
    objects = f"{record.stored_objects:,} object{'' if record.stored_objects == 1 else 's'}"
    return f"{_megabytes(record.stored_bytes)} in {objects}"
