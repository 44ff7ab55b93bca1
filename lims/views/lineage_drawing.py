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

MARGIN = 8
HEAD = 26
"""Pixels above the boxes, where the bands say their passage."""
WINDOW = 1_040
"""Pixels that a drawing has beside the rail of a usual window."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a drawing's parts are, in pixels. indent: where letters begin in a box, beside the sign of its kind."""

    column: int
    row: int
    box_width: int
    box_height: int
    code: float
    line: float
    indent: int

    @property
    def code_letters(self) -> int:
        """Count the letters of a code that fit: each of a monospaced face is 0.6 of its height wide."""
        return int((self.box_width - self.indent - 4) / (0.6 * self.code))

    @property
    def line_letters(self) -> int:
        """Count the letters of the second line that fit, of a proportional face."""
        return int((self.box_width - self.indent - 4) / (0.56 * self.line))


FULL = Sizes(column=208, row=44, box_width=184, box_height=36, code=13, line=12, indent=30)
NARROWEST = 104
"""Pixels of a column in which a code can still be told from its neighbours."""


def sizes_for(columns: float, *, fit: bool) -> Sizes:
    """Give sizes with which a drawing of so many columns needs little shrinking to fit its window, or the full ones."""
    if not fit or columns * FULL.column <= WINDOW:
        return FULL
    column = max(int(WINDOW / columns), NARROWEST)
    return Sizes(column, row=36, box_width=column - 12, box_height=30, code=10.5, line=9.5, indent=22)


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
    sizes: Sizes


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
    lineage: Lineage,
    kin: Sequence[Kin],
    urls: Mapping[Key, str | None],
    passage: Mapping[Key, str | None],
    unfold: str | None,
    *,
    fit: bool = False,
) -> Drawing:
    """Draw records in the order they are read in; those alike are folded behind `unfold`, the address of the whole.

    A drawing that is to `fit` its window has narrower boxes where it has many columns.
    """
    by_name = {name_of(one.key): one for one in kin}
    nodes, groups = (nodes_of(kin), dict[str, list[str]]()) if unfold is None else _folded(lineage, kin, passage)
    drawn = layout(nodes, centred=False)
    sizes = sizes_for(drawn.width, fit=fit)
    places = {one.key: (MARGIN + one.x * sizes.column, HEAD + MARGIN + one.y * sizes.row) for one in drawn.placed}

    def box(name: str) -> Box:
        one, count = by_name[name], len(groups.get(name, [name]))
        told = _line(one, passage)
        # Where letters are few, the band alone says the passage.
        short = told if sizes is FULL else _line(one, {})
        return _box(places[name], sizes, one, told, short, _tone(lineage, one), urls[one.key] if count == 1 else unfold, count)

    chain = {name_of(key) for key in lineage.chain}
    lines = [
        Line(_path(sizes, places[edge.parent_key], places[edge.key]), {edge.parent_key, edge.key} <= chain) for edge in drawn.edges
    ]
    return Drawing(
        round((drawn.width - 1) * sizes.column + sizes.box_width) + 2 * MARGIN,
        round((drawn.height - 1) * sizes.row + sizes.box_height) + HEAD + 2 * MARGIN,
        _bands(sizes, kin, passage, places),
        list(map(box, places)),
        sorted(lines, key=lambda line: line.on_chain),
        sum(len(keys) for keys in groups.values()) - len(groups),
        list(dict.fromkeys(one.kind for one in kin)),
        sizes,
    )


def _folded(lineage: Lineage, kin: Sequence[Kin], passage: Mapping[Key, str | None]) -> tuple[list[Node], dict[str, list[str]]]:
    """Fold those that are alike. The record that one came from is never hidden; a model's many tumours are folded as others are."""
    alike = {name_of(one.key): (one.kind, one.status, _line(one, passage), _tone(lineage, one)) for one in kin}
    only = lineage.starts if len(lineage.starts) == 1 else frozenset[Key]()
    return fold(nodes_of(kin), alike, keep={name_of(key) for key in only})


def _bands(
    sizes: Sizes, kin: Sequence[Kin], passage: Mapping[Key, str | None], places: Mapping[str, tuple[float, float]]
) -> list[Band]:
    """Join neighbouring columns whose records are of the same passages; `kin` has parents before children."""
    told: dict[Key | None, str] = {}
    columns: dict[float, dict[str, None]] = {}
    for one in kin:
        known = "patient" if one.kind == "patient" else told.get(one.parent, "passage not known")
        told[one.key] = passage[one.key] or known
        if (place := places.get(name_of(one.key))) is not None:
            columns.setdefault(place[0], {})[told[one.key]] = None
    labels = [(x, ", ".join(sorted(columns[x]))) for x in sorted(columns)]
    bands, gap = [], (sizes.column - sizes.box_width) / 2
    for label, group in groupby(labels, key=itemgetter(1)):
        first, *_, last = [x for x, _ in group] * 2
        bands.append(Band(first - gap, last - first + sizes.column, label))
    return bands


def _box(place: tuple[float, float], sizes: Sizes, one: Kin, told: str, short: str, tone: str, url: str | None, count: int) -> Box:
    code = one.code if count == 1 else f"{count} {one.kind}s"
    whole = f"{code}, {'each ' if count > 1 else ''}{told}"
    title = f"{one.kind} {whole}" if count == 1 else f"{whole}: show each"
    dimmed = one.status is RecordStatus.WITHDRAWN
    # Codes of siblings differ at their ends, lines matter from their beginning.
    shown = code if len(code) <= sizes.code_letters else f"…{code[1 - sizes.code_letters :]}"
    line = short if len(short) <= sizes.line_letters else f"{short[: sizes.line_letters - 1]}…"
    return Box(*place, one.kind, shown, line, title, tone, dimmed, url, count)


def _line(one: Kin, passage: Mapping[Key, str | None]) -> str:
    where = next((words for words in map(words_of, reversed(one.what)) if words), "")
    # What is cut off where it is too long is the last.
    parts = [passage.get(one.key) or "", state_words(one), where if one.kind != "patient" else ""]
    return " · ".join(part for part in parts if part) or one.kind


def _tone(lineage: Lineage, one: Kin) -> str:
    if one.state is ConsentState.WITHDRAWN:
        return "error"
    if one.key in lineage.starts:
        return "start"
    return "chain" if one.key in lineage.chain else "quiet"


def _path(sizes: Sizes, parent: tuple[float, float], child: tuple[float, float]) -> str:
    x1, y1 = parent[0] + sizes.box_width, parent[1] + sizes.box_height / 2
    x2, y2 = child[0], child[1] + sizes.box_height / 2
    middle = x2 - (sizes.column - sizes.box_width) / 2
    return f"M{x1:g} {y1:g}H{middle:g}V{y2:g}H{x2:g}"
