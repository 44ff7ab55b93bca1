"""Where to draw each record of a lineage: a forest, from left to right, tidy.

Source: the layered drawing of Wetherell and Shannon, Tidy Drawings of Trees, IEEE Trans. Software Eng. 5:514 (1979): leaves
on consecutive rows, a parent in the middle of its first and last child, one column a generation. In time linear in the
number of records, and without recursion, because lineages of cell lines are deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A record of the lineage. One whose parent is not among the nodes stands at the left, as one without a parent does."""

    key: str
    parent_key: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with its place: x counts columns and y rows, in the units that the caller chose."""

    key: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a parent to its child."""

    parent_key: str
    key: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The drawing: its size, every node in the order it was given, and the lines between them."""

    width: float
    height: float
    placed: tuple[Placed, ...]
    edges: tuple[Edge, ...]


def layout(nodes: Sequence[Node], *, column_width: float = 1.0, row_height: float = 1.0) -> Layout:
    """Place a forest: siblings and trees stand in the order they are given in, from top to bottom.

    x and y are the upper left corner of a node's cell of `column_width` × `row_height`, in the caller's unit (pixels, ems).

    Raises:
        ValueError: two nodes have one key, or a node is its own ancestor.
    """
    parents = _parents(nodes)
    children: dict[str, list[str]] = {key: [] for key in parents}
    for key, parent in parents.items():
        if parent is not None:
            children[parent].append(key)
    depths = _depths(parents, children)
    rows, leaves = _rows(list(depths), children)
    return Layout(
        width=(max(depths.values(), default=-1) + 1) * column_width,
        height=leaves * row_height,
        placed=tuple(Placed(node.key, depths[node.key] * column_width, rows[node.key] * row_height) for node in nodes),
        edges=tuple(Edge(parent, key) for key, parent in parents.items() if parent is not None),
    )


def _parents(nodes: Sequence[Node]) -> dict[str, str | None]:
    keys = {node.key for node in nodes}
    if len(keys) < len(nodes):
        raise ValueError("two nodes have one key")
    return {node.key: node.parent_key if node.parent_key in keys else None for node in nodes}


def _depths(parents: dict[str, str | None], children: dict[str, list[str]]) -> dict[str, int]:
    """Key → generation, each parent before its children, and each tree's nodes in the order they are drawn in."""
    depths: dict[str, int] = {}
    waiting = [(key, 0) for key, parent in reversed(parents.items()) if parent is None]
    while waiting:
        key, depth = waiting.pop()
        depths[key] = depth
        waiting.extend((child, depth + 1) for child in reversed(children[key]))
    if len(depths) < len(parents):
        raise ValueError(f"a node is its own ancestor: {next(key for key in parents if key not in depths)}")
    return depths


def _rows(drawn: list[str], children: dict[str, list[str]]) -> tuple[dict[str, float], int]:
    """Key → row, and how many rows there are. `drawn` has parents before children."""
    rows: dict[str, float] = {}
    leaves = 0
    for key in drawn:
        if not children[key]:
            rows[key] = leaves
            leaves += 1
    for key in reversed(drawn):
        if children[key]:
            rows[key] = (rows[children[key][0]] + rows[children[key][-1]]) / 2
    return rows, leaves
