"""What `macros/table.html` draws: one page of a table, with its filters, columns and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from lims.exports.tables import FORMATS
from lims.views.listing import Column


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """A filter with what is set in it."""

    key: str
    label: str
    kind: str
    value: str
    options: Sequence[tuple[str, str]]
    default: str = ""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column that a list can show, and whether it does."""

    key: str
    label: str
    shown: bool
    roomy: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """What `macros/table.html` draws."""

    caption: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    filters: list[ShownFilter]
    total: int
    page: int
    pages: int
    sort: str
    descending: bool
    empty: Mapping[str, str | None]
    arguments: Mapping[str, str]
    workbook: str | None = None
    """Where the registry that it lists is to be had as a workbook to fill in or edit."""
    choices: Sequence[ColumnChoice] = ()
    """What one may choose from; empty where the table has but the columns that it shows."""
    anchor: str = ""
    filed: bool = True
    """Whether exactly this view can be had as a file."""
    more: bool = False
    """There are more rows than `total`, which were not counted."""

    @property
    def counted(self) -> str:
        """Say how many rows there are."""
        return f"{self.total:,}{'+' if self.more else ''}"

    @property
    def filtered(self) -> bool:
        """Tell whether it is narrowed to other rows than those it opens with."""
        return any(one.value not in ("", one.default) for one in self.filters)

    @property
    def unseen_order(self) -> str:
        """Say what the rows are in the order of where no column that is shown says so."""
        unseen = next((one.label for one in self.choices if one.key == self.sort and not one.shown), "")
        return unseen and f"by {unseen.lower()}, {'highest' if self.descending else 'lowest'} first"

    @property
    def chosen(self) -> int:
        """Count the columns that a person chose; 0 where the list shows its usual ones."""
        return len(self.arguments.get("columns", "").split(",")) if self.arguments.get("columns") else 0

    def url(self, **changes: Any) -> str:
        """Give this page's address with parts of the query changed; None takes one away."""
        merged = {**self.arguments, **changes}
        query = urlencode({key: value for key, value in merged.items() if value not in (None, "")})
        return (f"{request.path}?{query}" if query else request.path) + (f"#{self.anchor}" if self.anchor else "")

    @property
    def exports(self) -> list[tuple[str, str]]:
        """Give the links to this very view as files."""
        return [(name, self.url(format=name, page=None)) for name in FORMATS] if self.filed else []
