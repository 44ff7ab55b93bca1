"""The forms of animals: one animal, and a delivery of many."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import StringField

from lims.domain.vocabulary import AnimalStatus, Sex
from lims.models import AnimalProtocol, Cage
from lims.records.arrivals import MOST_ANIMALS, USUAL_CAPACITY, Arrival
from lims.records.values import today
from lims.views.form_fields import CodeField, IsoDateField, LinesField, TermField, WholeNumberField, needed
from lims.views.moves import scanned
from lims.views.record_forms import Group, RecordForm, typed
from lims.views.support import current_session

_STRAIN = "By the official nomenclature, such as NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ (ILAR, ARRIVE 2.0 item 8)."
_SHARED = ("arrived_on", "strain", "genotype", "sex", "birth_date", "source", "protocol_id", "count", "per_cage")


class AnimalForm(RecordForm):
    """One animal."""

    groups = (
        Group("Animal", ("code", "ear_tag", "rfid")),
        Group("What it is", ("strain", "genotype", "sex", "birth_date"), "ARRIVE 2.0, item 8: experimental animals."),
        Group("Where it is from and lives", ("source", "arrived_on", "protocol_id", "cage_id")),
        Group("State", ("state", "died_on")),
    )
    once = frozenset({"code", "cage_id"})
    """A cage is changed by moving the animal, which keeps where it was."""

    code = StringField("Code", description="Leave it blank to have the next free one given.")
    ear_tag = StringField("Ear tag")
    rfid = StringField("RFID", description="As the reader shows it.")
    strain = StringField("Strain", description=_STRAIN)
    genotype = StringField("Genotype")
    sex = TermField("Sex", Sex, default=Sex.NOT_RECORDED)
    birth_date = IsoDateField("Born")
    source = StringField("Source", description="The breeder, or own breeding.")
    arrived_on = IsoDateField("Arrived")
    protocol_id = CodeField(
        "Animal protocol", AnimalProtocol, description="Judged on the day of arrival; today where none is typed."
    )
    cage_id = CodeField("Cage", Cage)
    state = TermField("State", AnimalStatus, default=AnimalStatus.ALIVE)
    died_on = IsoDateField("Died")


class ArrivalForm(RecordForm):
    """A delivery of animals of one kind."""

    groups = (
        Group("Delivery", ("count", "arrived_on", "source", "protocol_id")),
        Group("What they are", ("strain", "genotype", "sex", "birth_date"), "All of them alike (ARRIVE 2.0, item 8)."),
        Group(
            "Cages",
            ("per_cage", "cages"),
            "They are put into cages in order. Without codes, new cages get the next free ones.",
        ),
        Group(
            "Codes and ear tags", ("codes", "ear_tags"), "One a line and one for each animal, in the order of the cages; or none."
        ),
    )
    units: ClassVar = {"count": "animals", "per_cage": "animals"}

    count = WholeNumberField("How many", [needed("How many animals arrived is needed.")], description=f"At most {MOST_ANIMALS}.")
    arrived_on = IsoDateField("Arrived on", [needed("The day of arrival is needed.")])
    source = StringField("Source", description="The breeder, or own breeding.")
    protocol_id = CodeField(
        "Animal protocol",
        AnimalProtocol,
        [needed("The protocol they arrive under is needed.")],
        description="More animals than it allows are refused.",
    )
    strain = StringField("Strain", description=_STRAIN)
    genotype = StringField("Genotype")
    sex = TermField("Sex", Sex, default=Sex.NOT_RECORDED)
    birth_date = IsoDateField("Born", description="On the breeder's slip; the middle of a range.")
    per_cage = WholeNumberField("In each cage", default=USUAL_CAPACITY, description="Leave it blank if they have no cage yet.")
    cages = LinesField("Cage codes", rows=4, description="Scanned off the cards, one a line. New codes make new cages.")
    codes = LinesField("Codes", rows=4, description="Leave them blank to have the next free ones given.")
    ear_tags = LinesField("Ear tags", rows=4)

    def begin(self) -> None:
        """Begin a fresh form with today's date."""
        if not self.is_submitted():
            self.arrived_on.data = today(current_session())

    def arrival(self) -> Arrival:
        """Give the delivery as it is recorded."""
        lists: dict[str, Any] = {name: scanned(self._fields[name].data) for name in ("codes", "ear_tags", "cages")}
        return Arrival(**{name: typed(self._fields[name]) for name in _SHARED}, **lists)
