"""A lineage as a drawing: boxes and lines with their places, which `templates/lineage/_drawing.html` writes as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from operator import itemgetter

from lims.domain.consents import ConsentState
from lims.domain.lineage import Node, fold, layout
from lims.domain.passage import passage_label
from lims.domain.vocabulary import PassageConvention, RecordStatus
from lims.queries.lineage import Key, Kin, Lineage

BOX_WIDTH, BOX_HEIGHT = 184, 36
COLUMN_WIDTH, ROW_HEIGHT = 208, 44
MARGIN = 8
HEAD = 26
"""Pixels above the boxes, where the bands say their passage."""
CODE_LETTERS, LINE_LETTERS = 18, 24
"""Letters that fit into a box, at 13 px of a monospaced and 12 px of a proportional face."""
_CONSENTS = {
    ConsentState.GIVEN: "consent given",
    ConsentState.WITHDRAWN: "consent withdrawn",
    ConsentState.NONE: "no consent",
    ConsentState.NOT_FOR_XENOGRAFT: "no xenografts",
}


@dataclass(frozen=True, slots=True)
class Box:
    """One record, or several alike where `count` is above 1. `tone` is quiet, chain, start or error."""

    x: float
    y: float
    kind: str
    code: str
    line: str
    title: str
    tone: str
    dimmed: bool
    url: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """The path from a parent to its child."""

    path: str
    on_chain: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Columns of the drawing that hold the tissue of one passage, as the model's laboratory counts it."""

    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole, in pixels. `folded` counts the records that stand behind others."""

    width: int
    height: int
    bands: Sequence[Band]
    boxes: Sequence[Box]
    lines: Sequence[Line]
    folded: int
    kinds: Sequence[str]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def words_of(term: Enum | str | None) -> str:
    """Write a term as people read it; nothing where it is not recorded."""
    text = str(term.value).replace("_", " ") if isinstance(term, Enum) else term or ""
    return "" if text == "not recorded" else text


def state_words(one: Kin) -> str:
    """Say where a record stands: its state, and that it was withdrawn."""
    state = _CONSENTS[one.state] if isinstance(one.state, ConsentState) else words_of(one.state)
    return "withdrawn" if one.status is RecordStatus.WITHDRAWN else state


def passages(kin: Sequence[Kin]) -> dict[Key, str | None]:
    """Give each record's passage as its model's laboratory says it; tissue counts as the tumour that it grew in.

    `kin` has parents before children, as `ordered` gives them.
    """
    conventions: dict[Key | None, PassageConvention] = {}
    told: dict[Key, str | None] = {}
    for one in kin:
        inherited = conventions.get(one.parent, PassageConvention.FIRST_IS_P0)
        conventions[one.key] = one.convention or inherited
        told[one.key] = passage_label(one.passage, conventions[one.key])
    return told


def nodes_of(kin: Sequence[Kin]) -> list[Node]:
    """Give the records as nodes of a drawing."""
    return [Node(name_of(one.key), name_of(one.parent) if one.parent else None) for one in kin]


def name_of(key: Key) -> str:
    """Give a node's name."""
    return f"{key[0]} {key[1]}"


def draw(
    lineage: Lineage, kin: Sequence[Kin], urls: Mapping[Key, str | None], passage: Mapping[Key, str | None], unfold: str | None
) -> Drawing:
    """Draw records in the order they are read in; those alike are folded behind `unfold`, the address of the whole."""
    by_name = {name_of(one.key): one for one in kin}
    alike = {name: (one.kind, one.status, _line(one, passage), _tone(lineage, one)) for name, one in by_name.items()}
    nodes, groups = nodes_of(kin), dict[str, list[str]]()
    if unfold is not None:
        # The record that one came from is never hidden; the many tumours of a model are folded as others are.
        only = lineage.starts if len(lineage.starts) == 1 else frozenset[Key]()
        nodes, groups = fold(nodes, alike, keep={name_of(key) for key in only})
    drawn = layout(nodes, column_width=COLUMN_WIDTH, row_height=ROW_HEIGHT, centred=False)
    places = {one.key: (MARGIN + one.x, HEAD + MARGIN + one.y) for one in drawn.placed}
    boxes = []
    for name, (x, y) in places.items():
        one, count = by_name[name], len(groups.get(name, [name]))
        url = urls[one.key] if count == 1 else unfold
        boxes.append(_box(x, y, one, _line(one, passage), _tone(lineage, one), url, count))
    chain = {name_of(key) for key in lineage.chain}
    lines = [Line(_path(places[edge.parent_key], places[edge.key]), {edge.parent_key, edge.key} <= chain) for edge in drawn.edges]
    return Drawing(
        round(drawn.width - COLUMN_WIDTH + BOX_WIDTH) + 2 * MARGIN,
        round(drawn.height - ROW_HEIGHT + BOX_HEIGHT) + HEAD + 2 * MARGIN,
        _bands(kin, passage, places),
        boxes,
        sorted(lines, key=lambda line: line.on_chain),
        sum(len(keys) for keys in groups.values()) - len(groups),
        list(dict.fromkeys(one.kind for one in kin)),
    )


def _bands(kin: Sequence[Kin], passage: Mapping[Key, str | None], places: Mapping[str, tuple[float, float]]) -> list[Band]:
    """Join neighbouring columns whose records are of the same passages; `kin` has parents before children."""
    told: dict[Key | None, str] = {}
    columns: dict[float, dict[str, None]] = {}
    for one in kin:
        known = "patient" if one.kind == "patient" else told.get(one.parent, "passage not known")
        told[one.key] = passage[one.key] or known
        if (place := places.get(name_of(one.key))) is not None:
            columns.setdefault(place[0], {})[told[one.key]] = None
    labels = [(x, ", ".join(sorted(columns[x]))) for x in sorted(columns)]
    bands = []
    for label, group in groupby(labels, key=itemgetter(1)):
        first, *_, last = [x for x, _ in group] * 2
        gap = (COLUMN_WIDTH - BOX_WIDTH) / 2
        bands.append(Band(first - gap, last - first + COLUMN_WIDTH, label))
    return bands


def _box(x: float, y: float, one: Kin, line: str, tone: str, url: str | None, count: int) -> Box:
    code = one.code if count == 1 else f"{count} {one.kind}s"
    told = f"{code}, {'each ' if count > 1 else ''}{line}"
    title = f"{one.kind} {told}" if count == 1 else f"{told}: show each"
    dimmed = one.status is RecordStatus.WITHDRAWN
    return Box(x, y, one.kind, _cut(code, CODE_LETTERS), _cut(line, LINE_LETTERS), title, tone, dimmed, url, count)


def _line(one: Kin, passage: Mapping[Key, str | None]) -> str:
    where = next((words for words in map(words_of, reversed(one.what)) if words), "")
    # What is cut off where it is too long is the last.
    parts = [passage[one.key] or "", state_words(one), where if one.kind != "patient" else ""]
    return " · ".join(part for part in parts if part) or one.kind


def _tone(lineage: Lineage, one: Kin) -> str:
    if one.state is ConsentState.WITHDRAWN:
        return "error"
    if one.key in lineage.starts:
        return "start"
    return "chain" if one.key in lineage.chain else "quiet"


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _path(parent: tuple[float, float], child: tuple[float, float]) -> str:
    x1, y1 = parent[0] + BOX_WIDTH, parent[1] + BOX_HEIGHT / 2
    x2, y2 = child[0], child[1] + BOX_HEIGHT / 2
    middle = x2 - (COLUMN_WIDTH - BOX_WIDTH) / 2
    return f"M{x1:g} {y1:g}H{middle:g}V{y2:g}H{x2:g}"
