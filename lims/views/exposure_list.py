"""The list of concentrations: what an assay found in the samples of one animal or of a study, a row for each animal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from lims.domain.cohort_terms import ExposureMatrix
from lims.domain.errors import DomainError, NotFound, told
from lims.domain.exposure import unit_for
from lims.domain.notices import Notice
from lims.models import Agent, Implant, Study
from lims.queries.animals import animals_named
from lims.queries.implants import implants_of_animals
from lims.queries.measuring import Measured, to_measure
from lims.queries.scope import find
from lims.queries.studies import study_names
from lims.records.exposures import EXPOSURE, lesion_of
from lims.records.nouns import doubts, record
from lims.records.values import today
from lims.views.entry_cells import Cell
from lims.views.form_fields import CodeField, IsoDateField, NumberField, needed
from lims.views.implant_forms import ClockField
from lims.views.reading_forms import BenchNumberField
from lims.views.record_forms import RecordForm, typed
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    sees_arms,
    whole_number,
)
from lims.views.transaction import installation

MOST_MATRICES = 6
USUAL = (ExposureMatrix.PLASMA, ExposureMatrix.LESION_CORE, ExposureMatrix.ADJACENT_BRAIN, ExposureMatrix.CONTRALATERAL_BRAIN)
_TIME = re.compile(r"([01]?\d|2[0-3]):?([0-5]\d)", re.ASCII)


class ExposureListForm(RecordForm):
    """What all samples of the list share."""

    once: ClassVar = frozenset()

    agent_id = CodeField("Agent", Agent, [needed("The agent that was measured is needed: type its short name.")])
    analyte = StringField("Analyte", description="Where it is not the agent itself, such as DXd.")
    collected_on = IsoDateField("Collected on", [needed("The day of collection is needed.")])
    clock = ClockField("Time", description="Of all; a row may have its own.")
    hours_after_dose = NumberField("After the dose", description="Where the times of dose and sample are not recorded.")
    lloq = BenchNumberField("LLOQ", description="Lower limit of quantification of the assay; <0.5 in a cell has its own.")
    method = StringField("Method", description="Such as LC-MS/MS.")


@dataclass(slots=True)
class Line:
    """One animal: its own time of collection, and a concentration of each matrix."""

    of: Measured
    at: Cell
    cells: list[Cell]
    clock: time | None = None

    def read(self) -> None:
        """Read time and numbers; what is none says so beside itself."""
        text = self.at.text.strip()
        match = _TIME.fullmatch(text)
        if text and match is None:
            self.at.errors.append(f'"{text}" is no time. Expected: hours and minutes, such as 14:05.')
        self.clock = time(int(match[1]), int(match[2])) if match else None
        for cell in self.cells:
            cell.take_number(limits=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: whose samples, which matrices, and whether in nM."""

    study: Study | None
    animals: Sequence[Any]
    matrices: Sequence[ExposureMatrix]
    molar: bool
    rows: list[Measured] = field(default_factory=list)

    @property
    def back(self) -> str:
        """Give the page that the list was begun from."""
        if self.study is not None:
            return url_for("exposures.of_study", study_id=self.study.id)
        return url_for("animals.show", animal_id=self.animals[0].id) if len(self.animals) == 1 else url_for(".index")


@needs("exposure:create")
def measure_exposure() -> ResponseReturnValue:
    """Record concentrations: `?study=3&matrix=plasma&matrix=lesion_core&unit=nM`, or `?animal=M0017`."""
    asked = _asked()
    form = ExposureListForm(data={"agent_id": request.args.get("agent")})
    if not form.is_submitted():
        form.collected_on.data = _day()
    lines = [_line(row, asked.matrices) for row in asked.rows]
    if lines and form.validate_on_submit():
        filled = [line for line in lines if any(cell.text.strip() for cell in line.cells)]
        if _read(form, filled):
            with refusing(form):
                answer = _recorded(form, filled, asked)
                if answer is not None:
                    return answer
    units = [unit_for(matrix, molar=asked.molar).value for matrix in asked.matrices]
    return render_form("exposures/list.html", form, asked=asked, lines=lines, units=units, **_choices(asked))


def _asked() -> Asked:
    session, project = current_session(), current_project()
    study_id = whole_number(request.args.get("study"))
    study = find(session, Study, project.id, study_id) if study_id else None
    codes = [code for text in request.args.getlist("animal") for code in text.replace(",", " ").split()]
    try:
        animals = animals_named(session, project.id, codes) if codes else []
    except DomainError as unknown:
        raise NotFound(str(unknown), expected=unknown.expected) from unknown
    wanted = request.args.getlist("matrix") or [one.value for one in USUAL]
    matrices = [one for one in ExposureMatrix if one.value in wanted][:MOST_MATRICES]
    # Samples are mostly taken at death: the dead are listed with the living.
    rows = to_measure(
        session,
        project.id,
        date.min,
        study_id=study.id if study is not None else None,
        animals=[one.id for one in animals],
        unblinded=sees_arms(),
    )
    return Asked(study, animals, matrices, request.args.get("unit") == "nM", rows)


def _day() -> date:
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return today(current_session())


def _line(row: Measured, matrices: Sequence[ExposureMatrix]) -> Line:
    def cell(part: str, words: str) -> Cell:
        name = f"{row.animal_id}-{part}"
        return Cell(name, f"{row.animal}, {words}", part, request.form.get(name, ""))

    return Line(row, cell("time", "time"), [cell(one.value, one.value.replace("_", " ")) for one in matrices])


def _read(form: ExposureListForm, lines: Sequence[Line]) -> bool:
    """Read what was typed; tells whether all of it can be read."""
    if not lines:
        form.form_errors.append("Nothing was typed: one concentration in any row is enough.")
        return False
    for line in lines:
        line.read()
    refused = sum(bool(cell.errors) for line in lines for cell in (line.at, *line.cells))
    if refused:
        form.form_errors.append(f"{refused} {'value is' if refused == 1 else 'values are'} refused; each says why below its row.")
    return not refused


def _recorded(form: ExposureListForm, lines: Sequence[Line], asked: Asked) -> ResponseReturnValue | None:
    """Record the list; nothing where a value is refused or in doubt, which then says so beside itself."""
    session, project = current_session(), current_project()
    tumours = implants_of_animals(session, [line.of.animal_id for line in lines])
    placed = [(cell, row) for line in lines for cell, row in _rows(form, line, asked, tumours)]
    rows = [row for _, row in placed]
    typed_doubts = [Notice("warning", None, doubt) for cell, _ in placed for doubt in cell.doubts]
    try:
        if not confirmed(form, [*typed_doubts, *doubts(session, EXPOSURE, project.id, rows)]):
            return None
        record(session, current_actor(), EXPOSURE, project.id, rows, reason=confirmation(form))
    except DomainError as refused:
        _place(refused, [cell for cell, _ in placed])
        raise
    counted = f"{len(rows)} concentration{'' if len(rows) == 1 else 's'}"
    flash(f"Recorded {counted} in {len(lines)} animal{'' if len(lines) == 1 else 's'}.", "success")
    return redirect(asked.back)


def _place(refused: DomainError, cells: Sequence[Cell]) -> None:
    for one in refused.every:
        if one.row is not None:
            cells[one.row].errors.append(told(one))


def _rows(form: ExposureListForm, line: Line, asked: Asked, tumours: dict[int, list[Implant]]) -> list[tuple[Cell, dict[str, Any]]]:
    clock, on = line.clock or form.clock.data, typed(form.collected_on)
    shared = {
        "animal_id": line.of.animal_id,
        "agent_id": form.agent_id.record_id,
        "analyte": typed(form.analyte),
        "collected_on": on,
        "collected_at": datetime.combine(on, clock, installation().settings.zone) if clock else None,
        "hours_after_dose": form.hours_after_dose.data,
        "method": typed(form.method),
    }
    rows = []
    for matrix, cell in zip(asked.matrices, line.cells, strict=True):
        if cell.read is None:
            continue
        below = cell.read.below
        own = {
            "matrix": matrix,
            "unit": unit_for(matrix, molar=asked.molar),
            "implant_id": lesion_of(tumours.get(line.of.animal_id, []), matrix),
            "below_lloq": below,
            "concentration": None if below else cell.read.value,
            "lloq": cell.read.value if below else form.lloq.data,
        }
        rows.append((cell, shared | own))
    return rows


def _choices(asked: Asked) -> dict[str, Any]:
    return {
        "matrices": list(ExposureMatrix),
        "studies": study_names(current_session(), current_project().id),
        "most": MOST_MATRICES,
    }
