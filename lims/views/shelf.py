"""What an application keeps of its work: so much and no more, and what was asked for last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any

MOST_CHARACTERS = 24_000_000
"""Of all parts that a process keeps: some dozens of the largest."""


class Shelf:
    """Parts of pages, each with the state of the records that it was drawn from and the room that it takes."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._parts: OrderedDict[Hashable, tuple[str, Any, int]] = OrderedDict()
        self._most, self._characters, self._lock = most, 0, Lock()

    def take(self, key: Hashable, head: str) -> Any:
        """Give what was drawn under this key while the trail ended with `head`; None if nothing was."""
        with self._lock:
            found = self._parts.get(key)
            if found is None or found[0] != head:
                return None
            self._parts.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, head: str, part: Any, characters: int) -> None:
        """Keep a part in place of an older one, and let go of those that nobody asked for the longest."""
        with self._lock:
            self._drop(key)
            self._parts[key] = head, part, characters
            self._characters += characters
            while self._characters > self._most:
                self._drop(next(iter(self._parts)))

    def clear(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._parts.clear()
            self._characters = 0

    def _drop(self, key: Hashable) -> None:
        *_, characters = self._parts.pop(key, ("", None, 0))
        self._characters -= characters
