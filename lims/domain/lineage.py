"""Where to draw each record of a lineage: a forest, from left to right, tidy.

Source: the layered drawing of Wetherell and Shannon, Tidy Drawings of Trees, IEEE Trans. Software Eng. 5:514 (1979): leaves
on consecutive rows, a parent in the middle of its first and last child or beside the first, one column a generation. In
time linear in the number of records, and without recursion, because lineages of cell lines are deep.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
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


def layout(nodes: Sequence[Node], *, column_width: float = 1.0, row_height: float = 1.0, centred: bool = True) -> Layout:
    """Place a forest: siblings and trees stand in the order they are given in, from top to bottom.

    A parent stands in the middle of its children, or, not `centred`, beside the first: then even a long drawing begins at
    its upper left corner.
    x and y are the upper left corner of a node's cell of `column_width` × `row_height`, in the caller's unit (pixels, ems).

    Raises:
        ValueError: two nodes have one key, or a node is its own ancestor.
    """
    parents = _parents(nodes)
    children = _children(parents)
    depths = _depths(parents, children)
    rows, leaves = _rows(list(depths), children, centred=centred)
    return Layout(
        width=(max(depths.values(), default=-1) + 1) * column_width,
        height=leaves * row_height,
        placed=tuple(Placed(node.key, depths[node.key] * column_width, rows[node.key] * row_height) for node in nodes),
        edges=tuple(Edge(parent, key) for key, parent in parents.items() if parent is not None),
    )


def in_order(nodes: Sequence[Node]) -> list[tuple[str, int]]:
    """Give every node with its generation, counted from 0, as one reads: a parent, then its descendants, top to bottom.

    Raises:
        ValueError: two nodes have one key, or a node is its own ancestor.
    """
    parents = _parents(nodes)
    return list(_depths(parents, _children(parents)).items())


def fold(
    nodes: Sequence[Node], likeness: Mapping[str, Hashable], *, keep: Collection[str] = frozenset(), least: int = 4
) -> tuple[list[Node], dict[str, list[str]]]:
    """Let one leaf stand for all its siblings that are leaves and alike, where there are at least `least` of them.

    Gives the nodes that remain, and for each that stands for others the keys of all, its own the first. Nodes of `keep`
    are never folded.
    """
    inner = {node.parent_key for node in nodes}
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for node in nodes:
        if node.key not in inner and node.key not in keep:
            alike[node.parent_key, likeness[node.key]].append(node.key)
    groups = {keys[0]: keys for keys in alike.values() if len(keys) >= least}
    gone = {key for keys in groups.values() for key in keys[1:]}
    return [node for node in nodes if node.key not in gone], groups


def _parents(nodes: Sequence[Node]) -> dict[str, str | None]:
    keys = {node.key for node in nodes}
    if len(keys) < len(nodes):
        raise ValueError("two nodes have one key")
    return {node.key: node.parent_key if node.parent_key in keys else None for node in nodes}


def _children(parents: dict[str, str | None]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {key: [] for key in parents}
    for key, parent in parents.items():
        if parent is not None:
            children[parent].append(key)
    return children


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


def _rows(drawn: list[str], children: dict[str, list[str]], *, centred: bool) -> tuple[dict[str, float], int]:
    """Key → row, and how many rows there are. `drawn` has parents before children."""
    rows: dict[str, float] = {}
    leaves = 0
    for key in drawn:
        if not children[key]:
            rows[key] = leaves
            leaves += 1
    for key in reversed(drawn):
        if children[key]:
            first, last = rows[children[key][0]], rows[children[key][-1]]
            rows[key] = (first + last) / 2 if centred else first
    return rows, leaves
