"""The page of a lineage: drawn, and as a table, from whichever record of the chain one comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import null

from lims.audit.words import entity_word
from lims.domain.errors import NotFound
from lims.domain.lineage import in_order
from lims.domain.vocabulary import RecordStatus
from lims.models import Implant
from lims.queries.lineage import Key, Kin, Lineage, lineage_of
from lims.queries.scope import find
from lims.views.addresses import page_of
from lims.views.consent_flag import consent_of
from lims.views.crumbs import OF_LINEAGES
from lims.views.lineage_drawing import Drawing, draw, name_of, nodes_of, passages, state_words, words_of
from lims.views.support import current_project, current_session, needs
from lims.views.tables import Column, send_file_of, send_rows, table_from_rows

pages = Blueprint("lineage", __name__, url_prefix="/p/<project_code>/lineage")


def _column(key: str, label: str, **settings: Any) -> Column:
    return Column(key, label, null(), sortable=False, **settings)


COLUMNS = (
    _column("code", "Record", mono=True),
    _column("kind", "Kind"),
    _column("depth", "Steps", align="end"),
    _column("parent", "Comes from", mono=True),
    _column("what", "What"),
    _column("passage", "Passage"),
    _column("on", "Date"),
    _column("state", "State"),
)


@pages.get("/<entity>/<int:key>")
@needs("project:read")
def show(entity: str, key: int) -> ResponseReturnValue:
    """Draw the lineage that a record belongs to."""
    if entity not in OF_LINEAGES:
        raise NotFound(f"A lineage is drawn of {', '.join(map(entity_word, OF_LINEAGES))}.")
    record = find(current_session(), OF_LINEAGES[entity], current_project().id, key)
    lineage = lineage_of(current_session(), record)
    kin, depths = ordered(lineage)
    passage = passages(kin)
    urls = {one.key: page_of(one.kind, one.id) for one in kin}
    codes = {one.key: one.code for one in kin}
    rows = [_row(one, depths, codes, passage) | {"_url": urls[one.key]} for one in kin]
    noun = "model" if entity == "pdx_model" else entity
    asked, caption = request.args.get("format"), f"Lineage of {_called(record)}"
    every = request.args.get("all") == "1"
    unfold = None if every else url_for(".show", entity=entity, key=key, all=1, size=request.args.get("size"))
    if asked and asked != "svg":
        return send_rows(noun, caption, COLUMNS, rows, asked, {"lineage of": _called(record)})
    fit = asked is None and request.args.get("size") != "full"
    drawing = draw(lineage, kin, urls, passage, unfold, fit=fit)
    if asked == "svg":
        return _picture(noun, caption, drawing)
    return render_template(
        "lineage/show.html",
        record=record,
        word=entity_word(entity),
        animal=record.animal if isinstance(record, Implant) else None,
        caption=caption,
        home=page_of(entity, key),
        drawing=drawing,
        every=every,
        fit=fit,
        counts=_counts(kin),
        consent=consent_of(record),
        unknown=any(one.kind == "implant" and one.parent is None for one in kin),
        view=table_from_rows(f"{caption}, as a table", COLUMNS, rows, "There is nothing to show.", keep=("all", "size")),
    )


def _row(one: Kin, depths: Mapping[str, int], codes: Mapping[Key, str], passage: Mapping[Key, str | None]) -> dict[str, Any]:
    return {
        "code": one.code,
        "kind": one.kind,
        "depth": depths[name_of(one.key)],
        "parent": codes.get(one.parent) if one.parent else None,
        "what": ", ".join(words for words in map(words_of, one.what) if words) or None,
        "passage": passage[one.key],
        "on": one.on,
        "state": state_words(one) or None,
    }


def _called(record: Any) -> str:
    """Name what a lineage is of; a tumour's label says little without its animal."""
    return f"implant {record.label} of {record.animal.code}" if isinstance(record, Implant) else str(record.audit_label)


def ordered(lineage: Lineage) -> tuple[list[Kin], dict[str, int]]:
    """Give the records as one reads a drawing, parents before children, and how many steps each is from the first.

    What nothing was made of stands before its siblings: so it stays beside its parent, and lines stay short.
    """
    by_name = {name_of(one.key): one for one in lineage.kin}
    inner = {one.parent for one in lineage.kin}
    depths = dict(in_order(nodes_of(sorted(lineage.kin, key=lambda one: one.key in inner))))
    return [by_name[name] for name in depths], depths


def _picture(noun: str, caption: str, drawing: Drawing) -> ResponseReturnValue:
    svg = render_template("lineage/drawing.svg", drawing=drawing, caption=caption)
    return send_file_of(noun, f"{caption}.svg", [svg.encode()], "image/svg+xml", {"format": "svg"})


def _counts(kin: Sequence[Kin]) -> list[str]:
    standing = [one for one in kin if one.status is RecordStatus.ACTIVE]
    counted = {word: sum(one.kind == word for one in standing) for word in ("patient", "specimen", "aliquot", "implant")}
    return [f"{number:,} {word}{'' if number == 1 else 's'}" for word, number in counted.items() if number]
