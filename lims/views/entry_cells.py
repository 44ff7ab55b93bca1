"""The inputs of lists in which numbers are typed row by row: each says beside itself what is wrong or unusual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lims.domain.errors import DomainError, told
from lims.domain.numbers import Typed, read_number
from lims.views.filters import sentence


@dataclass(slots=True)
class Cell:
    """One input: what was typed, and what was said of it."""

    name: str
    label: str
    part: str
    text: str = ""
    errors: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    read: Typed | None = None

    @property
    def said(self) -> bool:
        """Tell whether anything is wrong with it, or unusual."""
        return bool(self.errors or self.doubts)

    def named(self, sentences: Sequence[str]) -> str:
        """Give what was said of it, with its name within the row before what does not begin with that."""
        what, told = sentence(self.label.rpartition(", ")[2]), " ".join(sentences)
        return told if told.startswith(what) else f"{what}: {told}"

    def take_number(self, *, limits: bool = False) -> None:
        """Read the number; what is none, or could be two, is said beside it."""
        try:
            self.read = read_number(self.text, field=self.part, limits=limits)
        except DomainError as refused:
            self.errors.append(told(refused))
        if self.read is not None:
            self.doubts.extend(one.message for one in self.read.doubts)
