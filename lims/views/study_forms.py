"""The form of a study."""

from __future__ import annotations

from typing import Any

from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange, Optional

from lims.domain.vocabulary import DayZero, StudyKind, StudyStatus
from lims.models import Study
from lims.records.studies import NewStudy
from lims.views.form_fields import IsoDateField, NumberField
from lims.views.once import OnceForm

KINDS = [SelectChoice(kind.value, kind.value.capitalize()) for kind in StudyKind]
ANCHORS = [SelectChoice(anchor.value, anchor.value.replace("_", " ").capitalize()) for anchor in DayZero]
STATES = [SelectChoice(state.value, state.value.capitalize()) for state in StudyStatus if state is not StudyStatus.LOCKED]
"""A study is locked by a signature, never by a form."""


class StudyForm(OnceForm):
    """What may be said of a study, at its start and later."""

    title = StringField("Title", [InputRequired("A title is needed: it stands beside the code everywhere.")])
    hypothesis = TextAreaField("Hypothesis", description="What the study expects, in a sentence (ARRIVE 2.0 item 3).")
    kind = SelectField("Kind", choices=KINDS)
    primary_outcome = TextAreaField(
        "Primary outcome", description="The measurement the sample size was reasoned for (ARRIVE 2.0 item 6b)."
    )
    day_zero = SelectField("Days count from", choices=ANCHORS, default=DayZero.RANDOMISATION.value)
    day_zero_on = IsoDateField(
        "Date of day 0",
        [Optional()],
        description="For animals without a day 0 of their own. Without it, days count from the first reading.",
    )
    weight_loss_limit_percent = NumberField(
        "Weight-loss limit",
        [Optional(), NumberRange(0, 100, "Expected: a loss between 0 and 100 %% of baseline.")],
        description="The humane endpoint of the animal protocol; the weight plot draws it as a line.",
    )

    def fields(self) -> dict[str, Any]:
        """Give what was typed, as `lims.records.studies` takes it."""
        return {
            "title": (self.title.data or "").strip(),
            "hypothesis": (self.hypothesis.data or "").strip() or None,
            "kind": StudyKind(self.kind.data),
            "primary_outcome": (self.primary_outcome.data or "").strip() or None,
            "day_zero": DayZero(self.day_zero.data),
            "day_zero_on": self.day_zero_on.data,
            "weight_loss_limit_percent": self.weight_loss_limit_percent.data,
        }


class NewStudyForm(StudyForm):
    """A study to record."""

    code = StringField("Code", [InputRequired("A code is needed: files and labels carry it.")], description="Never changed later.")

    def study(self) -> NewStudy:
        """Give the study to record."""
        return NewStudy(code=self.code.data or "", **self.fields())


class ChangeStudyForm(StudyForm):
    """A study as it should stand, and why."""

    state = SelectField("State", choices=STATES)
    reason = StringField("Reason", [InputRequired("A reason is needed: it stands in the audit trail.")])
    version = HiddenField()

    def fields(self) -> dict[str, Any]:
        """Give what was typed, the state with it."""
        return {**super().fields(), "state": StudyStatus(self.state.data)}

    @classmethod
    def of(cls, study: Study) -> ChangeStudyForm:
        """Make the form with what is recorded, or with what was typed."""
        recorded = {name: getattr(study, name) for name in cls.recorded_names()}
        recorded |= {"kind": study.kind.value, "day_zero": study.day_zero.value, "state": study.state.value}
        return cls(data=recorded)

    @staticmethod
    def recorded_names() -> tuple[str, ...]:
        """Name the fields that stand in the study as they are."""
        return "title", "hypothesis", "primary_outcome", "day_zero_on", "weight_loss_limit_percent", "version"
