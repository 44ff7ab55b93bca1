"""The forms of studies, arms and enrolments."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import HiddenField, SelectChoice, SelectField, StringField, TextAreaField  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import NumberRange, Optional

from lims.domain.cohort_terms import USUAL_EVENTS, FateReason
from lims.domain.studies import ITEM_OF, STILL_CHANGES
from lims.domain.vocabulary import ArmRole, DayZero, StudyKind, StudyStatus
from lims.models import Animal, Study
from lims.queries.animals import animals_named
from lims.queries.studies import ArmOfStudy
from lims.records.values import today
from lims.views.form_fields import CodeField, IsoDateField, LinesField, NumberField, TermField, TermsField, WholeNumberField, needed
from lims.views.moves import scanned
from lims.views.record_forms import REASON, Group, RecordForm
from lims.views.support import current_project, current_session


def _item(column: str, help: str) -> str:
    return f"{help} ({ITEM_OF[column].source}.)"


class StudyForm(RecordForm):
    """What a study says of itself: the items of ARRIVE 2.0, and what its days and events count from."""

    groups = (
        Group("Study", ("code", "title", "kind")),
        Group("Question", ("hypothesis", "primary_outcome"), "Said before there are data; a later change is an amendment."),
        Group(
            "Animals",
            ("experimental_unit", "sample_size_reasoning", "inclusion_criteria", "exclusion_criteria"),
            "Planned numbers stand with the arms (ARRIVE 2.0, item 2a).",
        ),
        Group(
            "Blinding and analysis",
            ("blinding", "statistical_methods"),
            "Name no treatment by its arm here: whoever is blinded reads this page too.",
        ),
        Group("Days", ("day_zero", "day_zero_on")),
        Group("Limits and events", ("weight_loss_limit_percent", "event_reasons")),
    )
    units: ClassVar = {"weight_loss_limit_percent": "% of baseline"}

    code = StringField("Code", [needed("A code is needed: files and labels carry it.")], description="Never changed later.")
    title = StringField("Title", [needed("A title is needed: it stands beside the code everywhere.")])
    kind = TermField("Kind", StudyKind, default=StudyKind.EFFICACY)
    hypothesis = TextAreaField("Hypothesis", description=_item("hypothesis", "What the study expects, in a sentence."))
    primary_outcome = TextAreaField(
        "Primary outcome", description=_item("primary_outcome", "The measurement that the number of animals was reasoned for.")
    )
    experimental_unit = StringField(
        "Experimental unit", description=_item("experimental_unit", "What is allocated by itself: the animal, its cage, a tumour.")
    )
    sample_size_reasoning = TextAreaField(
        "Sample size", description=_item("sample_size_reasoning", "How the number was decided: effect, variance, power, attrition.")
    )
    inclusion_criteria = TextAreaField(
        "Inclusion criteria", description=_item("inclusion_criteria", "Which animals come in, such as flux over 1e6 p/s on day 14.")
    )
    exclusion_criteria = TextAreaField(
        "Exclusion criteria", description=_item("exclusion_criteria", "Which animals or readings are left out, decided beforehand.")
    )
    blinding = TextAreaField(
        "Blinding", description=_item("blinding", "Who knows which arm is which: at allocation, dosing, measuring, analysis.")
    )
    statistical_methods = TextAreaField(
        "Statistical methods", description=_item("statistical_methods", "The analysis of each outcome, with its software.")
    )
    day_zero = TermField("Days count from", DayZero, default=DayZero.RANDOMISATION)
    day_zero_on = IsoDateField(
        "Date of day 0",
        description="For animals without a day 0 of their own. Without it, days count from the first reading.",
    )
    weight_loss_limit_percent = NumberField(
        "Weight-loss limit",
        [Optional(), NumberRange(0, 100, "Expected: a loss between 0 and 100 %% of baseline.")],
        description="The humane endpoint of the animal protocol; the weight plot draws it as a line (ARRIVE 2.0, item 16c).",
    )
    event_reasons = TermsField(
        "Fates that count as an event",
        [reason for reason in FateReason if reason is not FateReason.NOT_RECORDED],
        default=[reason.value for reason in USUAL_EVENTS],
        description="Every other fate censors: the animal counts as at risk until then.",
    )

    def __init__(self, *args: Any, obj: Study | None = None, **settings: Any) -> None:
        super().__init__(*args, obj=obj, **settings)
        self.study = obj

    def columns(self, *, changing: bool) -> list[str]:
        """Name the columns that the study's state lets change."""
        names = super().columns(changing=changing)
        if self.study is None or self.study.state is not StudyStatus.CLOSED:
            return names
        return [name for name in names if name in STILL_CHANGES[StudyStatus.CLOSED]]


FIELDS = {name: str(getattr(StudyForm, name).args[0]) for name in ITEM_OF}
"""What the fields of the guideline's items are called on the form, and on the page that shows them."""


class StepForm(RecordForm):
    """The reason for a step of a study."""

    groups = (Group("Why", ("reason",)),)

    reason = StringField("Reason", [needed(REASON)], description="It stands in the audit trail beside the step.")
    version = HiddenField()


class ArmForm(RecordForm):
    """A cohort of a study."""

    groups = (
        Group("Arm", ("study_id", "code", "title")),
        Group("Plan", ("role", "target_n"), "What it is compared as (ARRIVE 2.0, item 1a), and with how many animals (item 2a)."),
    )
    units: ClassVar = {"target_n": "animals"}
    once: ClassVar = frozenset({"study_id", "code"})

    study_id = CodeField("Study", Study, [needed("The study that it is an arm of is needed.")])
    code = StringField("Code", [needed("A code is needed: files name the arm by it.")], description="Never changed later.")
    title = StringField("Title", [needed("A title is needed: plots and tables show it.")])
    role = TermField("Role", ArmRole, default=ArmRole.NOT_RECORDED)
    target_n = WholeNumberField("Planned number", description="An arm that has reached it takes no further animal.")


class EnrolForm(RecordForm):
    """Animals by their codes, into one arm."""

    groups = (
        Group("Animals", ("codes",)),
        Group(
            "Arm",
            ("arm_id", "enrolled_on", "day_zero_on"),
            "To put animals in arms by chance, randomise them (ARRIVE 2.0, item 4a).",
        ),
    )

    codes = LinesField("Codes or RFIDs", [needed("Scan at least one animal.")], description="One a line, typed or scanned.")
    arm_id = SelectField("Into arm", [needed("Choose the arm.")])
    enrolled_on = IsoDateField("Enrolled on", [needed("The day of enrolment is needed.")])
    day_zero_on = IsoDateField("Day 0 of these animals", description="Where it differs from the study's.")

    def begin(self, arms: list[ArmOfStudy]) -> None:
        """Offer the arms, and begin a fresh form with today's date."""
        self.arm_id.choices = [SelectChoice("", "Choose an arm"), *(SelectChoice(arm.key, _room(arm)) for arm in arms)]
        if not self.is_submitted():
            self.enrolled_on.data = today(current_session())

    def animals(self) -> list[Animal]:
        """Give the animals that were named, each once."""
        return animals_named(current_session(), current_project().id, list(dict.fromkeys(scanned(self.codes.data))))


def _room(arm: ArmOfStudy) -> str:
    return f"{arm.name} ({arm.enrolled}{'' if arm.target_n is None else f' of {arm.target_n}'})"


class EnrolmentForm(RecordForm):
    """The dates of an enrolment. Animal and arm stay: an animal changes its arm by a withdrawal."""

    groups = (Group("Dates", ("enrolled_on", "day_zero_on")),)

    enrolled_on = IsoDateField("Enrolled on")
    day_zero_on = IsoDateField("Day 0 of this animal", description="Where it differs from the study's.")


class ExcludeForm(RecordForm):
    """Leaving an animal out of analysis."""

    groups = (Group("Exclusion", ("excluded_on", "exclusion_reason")),)

    excluded_on = IsoDateField(
        "Excluded from", [needed("The day from which it is left out is needed.")], description="Readings before that day count."
    )
    exclusion_reason = TextAreaField(
        "Reason",
        [needed("Give the reason: it is reported with the results.")],
        description="By which criterion (ARRIVE 2.0, item 3b).",
    )
    version = HiddenField()
