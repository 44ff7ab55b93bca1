"""The form of a randomisation: how, and one row for each animal that may be allocated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, StringField

from lims.domain.cohort_terms import AllocationMethod, Stratum
from lims.domain.vocabulary import MeasurementKind
from lims.queries.allocation import Eligible
from lims.records.randomisations import Wish
from lims.views.form_fields import IsoDateField, TermField, TermsField, needed
from lims.views.once import OnceForm
from lims.views.support import whole_number


class AnimalRow(Form):
    """One animal: allocated, or left out with a reason."""

    animal_id = HiddenField()
    taken = BooleanField("Allocate")
    why = StringField("Why it is left out", render_kw={"autocomplete": "off"})


class RandomiseForm(OnceForm):
    """What `lims.records.randomisations.Wish` says, as a page asks for it."""

    method = TermField(
        "Method",
        AllocationMethod,
        default=AllocationMethod.STRATIFIED_BLOCKS.value,
        description="Blocks: animals are ranked by their baseline and each block is shared out by chance. Minimisation: each "
        "animal goes, by a biased coin, where the arms stay most alike (Pocock and Simon 1975).",
    )
    strata = TermsField("Balance also by", Stratum)
    seed = StringField(
        "Seed",
        description="Blank: one is drawn. It is kept with the run: the same seed gives the same allocation (ARRIVE 2.0 item 4a).",
        render_kw={"autocomplete": "off"},
    )
    made_on = IsoDateField(
        "Randomised on",
        [needed("The day of randomisation is needed.")],
        description="The animals are enrolled from that day on; doses are planned from then.",
    )
    reason = StringField("Why it is run again", description="The run before keeps its record, and loses its enrolments.")
    rows = FieldList(FormField(AnimalRow))

    def begin(self, eligible: Sequence[Eligible], with_baseline: Sequence[int], made_on: date) -> None:
        """Begin with every animal allocated that has a baseline."""
        self.made_on.data = made_on
        for one in eligible:
            self.rows.append_entry({"animal_id": str(one.id), "taken": one.id in with_baseline})

    def wish(self, kind: MeasurementKind | None, on: object) -> Wish:
        """Give what was asked for; a row that is neither ticked nor explained is refused by the records."""
        chosen = [(whole_number(row.animal_id.data) or 0, row) for row in (entry.form for entry in self.rows)]
        return Wish(
            method=AllocationMethod(self.method.data),
            animals=[key for key, row in chosen if row.taken.data],
            left_out={key: row.why.data or "" for key, row in chosen if not row.taken.data},
            kind=kind,
            baseline_on=on,  # type: ignore[arg-type]  # a date, or None
            strata=tuple(Stratum(one) for one in self.strata.data or ()),
            seed=self.seed.data or "",
            reason=self.reason.data or "",
            on=self.made_on.data,
        )
