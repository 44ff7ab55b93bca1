"""The forms of implants: the fields of surgery, one implant to change, and what came of it."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, ClassVar

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from lims.domain.colony_terms import (
    DepthReference,
    Engraftment,
    Hemisphere,
    ImplantMaterial,
    Orthotopic,
    StereotacticOrigin,
)
from lims.domain.vocabulary import ImplantSite
from lims.models import CellPreparation, PdxModel
from lims.views.form_fields import CodeField, IsoDateField, MomentField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm

WHAT_WENT_IN = Group(
    "What was put in",
    (
        "material",
        "preparation_id",
        "cell_count",
        "fragment_mm",
        "viability_percent",
        "vehicle",
        "volume_ul",
        "rate_ul_min",
        "dwell_min",
        "needle",
    ),
)
STEREOTACTIC = Group(
    "Stereotactic record",
    ("ap_mm", "ml_mm", "dv_mm", "coordinate_origin", "depth_reference", "angle_degrees"),
    "As in Franklin and Paxinos: AP is positive in front of the origin, ML on the animal's right, DV downwards.",
)
CARE = Group(
    "Anaesthesia and pain relief",
    ("anaesthetic", "analgesic", "analgesia_hours", "analgesia_doses"),
    "Doses fall due in hours after the end of surgery (ARRIVE 2.0 item 9; AVMA guidance on analgesia in rodent surgery).",
)


class SurgeryFields(RecordForm):
    """What every record of surgery has."""

    units: ClassVar = {
        "fragment_mm": "mm",
        "viability_percent": "%",
        "volume_ul": "µL",
        "rate_ul_min": "µL/min",
        "dwell_min": "min",
        "ap_mm": "mm",
        "ml_mm": "mm",
        "dv_mm": "mm",
        "angle_degrees": "°",
        "analgesia_hours": "h",
        "weight_g": "g",
    }

    model_id = CodeField("Model", PdxModel, description="Follows from the aliquot; name it where the tissue may be of several.")
    site = TermField("Site", ImplantSite)
    region = StringField("Region", description="Such as striatum, or fourth mammary fat pad.")
    hemisphere = TermField("Side", Hemisphere, blank="Not recorded")
    implanted_on = IsoDateField("Day of surgery")
    material = TermField("Material", ImplantMaterial, blank="Not recorded")
    preparation_id = CodeField("Counted as", CellPreparation, description="The cell preparation whose count it was made of.")
    cell_count = WholeNumberField("Cells", description="1e5 is read too.")
    fragment_mm = NumberField("Fragment, longest edge")
    viability_percent = NumberField("Viability", description="Blank: as the cell preparation says.")
    vehicle = StringField("Vehicle", description="Such as PBS or Matrigel 1:1.")
    volume_ul = NumberField("Volume")
    rate_ul_min = NumberField("Rate")
    dwell_min = NumberField("Dwell", description="Before the needle is drawn back.")
    needle = StringField("Needle", description="Such as 26 G Hamilton.")
    ap_mm = NumberField("AP")
    ml_mm = NumberField("ML")
    dv_mm = NumberField("DV")
    coordinate_origin = TermField("Origin of AP and ML", StereotacticOrigin, blank="Not recorded")
    depth_reference = TermField("DV from", DepthReference, blank="Not recorded")
    angle_degrees = NumberField("Angle")
    anaesthetic = StringField("Anaesthetic", description="With its dose.")
    analgesic = StringField("Analgesic", description="With its dose.")
    analgesia_hours = NumberField("Then every")
    analgesia_doses = WholeNumberField("Further doses")
    surgeon = StringField("Surgeon")


class ImplantForm(SurgeryFields):
    """One implant, to be changed. It is made on a surgery list, and what came of it has a form of its own."""

    groups = (
        Group("Implant", ("label", "model_id", "site", "region", "hemisphere")),
        Group("Surgery", ("implanted_on", "implanted_at", "surgeon", "weight_g")),
        WHAT_WENT_IN,
        STEREOTACTIC,
        CARE,
        Group(
            "Orthotopic",
            ("orthotopic_to_collection", "orthotopic_to_primary"),
            "Unknown is filled in by what the sites say (PDX-MI): the organ of collection, and the one where the tumour arose.",
        ),
        Group("Note", ("note",)),
    )
    once: ClassVar = frozenset()

    label = StringField("Label", [needed("A label is needed: it tells the animal's tumours apart.")])
    implanted_at = MomentField("End of surgery", description="Analgesia is due from here on.")
    weight_g = NumberField("Weight at surgery")
    orthotopic_to_collection = TermField("To the collection site", Orthotopic)
    orthotopic_to_primary = TermField("To the primary site", Orthotopic)
    note = TextAreaField("Note")


class EngraftmentForm(RecordForm):
    """Whether an implant grew."""

    groups = (
        Group(
            "Outcome",
            ("engraftment", "engrafted_on", "reason"),
            "It counts into the model's take rate, and its date into the latency.",
        ),
    )

    engraftment = TermField("Outcome", Engraftment)
    engrafted_on = IsoDateField("First seen on", description="The day the tumour was first seen or felt; blank where it failed.")
    version = HiddenField()
    reason = StringField(
        "What was seen",
        [needed("What was seen is needed: it stands in the audit trail.")],
        description="Such as palpable, or no tumour at necropsy.",
    )


class ClockField(StringField):
    """A time of the day, typed as `14:05` or `1405`; its data is a time."""

    data: Any

    def __init__(self, label: str, validators: list[Any] | None = None, **settings: Any) -> None:
        settings.setdefault("render_kw", {"placeholder": "HH:MM", "autocomplete": "off", "inputmode": "numeric"})
        super().__init__(label, validators or [Optional()], **settings)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%H:%M}" if isinstance(self.data, time) else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the time."""
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        for pattern in ("%H:%M", "%H%M"):
            try:
                self.data = datetime.strptime(text, pattern).time()  # noqa: DTZ007  # of the laboratory's day
            except ValueError:
                continue
            return
        raise ValueError(f'"{text}" is no time. Expected: hours and minutes, such as 14:05.')
