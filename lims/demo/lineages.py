"""Grows the demo's models: metastasis, vials, mice, harvest, and again, as a laboratory passages its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from lims.demo.donors import Her2
from lims.demo.findings import HARVESTED, profile_of, stains_of
from lims.demo.freezers import Freezers
from lims.demo.hands import Hands
from lims.demo.tissue import report
from lims.domain.cohort_terms import FateReason
from lims.domain.colony_terms import (
    DepthReference,
    Engraftment,
    Hemisphere,
    ImplantMaterial,
    ProtocolProcedure,
    StereotacticOrigin,
)
from lims.domain.tissue_terms import AliquotMaterial, AmountUnit, CheckKind, CheckResult, ModelKind
from lims.domain.vocabulary import CollectionProcedure, ImplantSite, ModelStatus, Sex, SpecimenKind, TumourOrigin
from lims.models import Aliquot, AnimalProtocol, Implant, PdxModel, Specimen, StoragePlace, StrProfile
from lims.records.aliquots import freeze_aliquots, ship, use
from lims.records.arrivals import Arrival, arrive
from lims.records.colony import PROTOCOL
from lims.records.fates import record_fates
from lims.records.implants import IMPLANT
from lims.records.pdx import MODEL, MODEL_CHECK
from lims.records.preparations import PREPARATION
from lims.records.stains import STAIN_REGION
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE

NSG = "NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ"
BRAIN = ImplantSite.INTRACRANIAL
PER_GENERATION = 3
SURGERY_ENDS = time(11, 30)
VIALS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A model: the day its passages were implanted (counted back), how long tumours took, how many of three engrafted.

    her2: the reports on the harvests, by passage. stranger: whose STR profile the last harvest turned out to have.
    """

    model: str
    donor: str
    implanted: tuple[int, ...]
    latency: int
    taken: tuple[int, ...]
    site: ImplantSite = BRAIN
    state: ModelStatus = ModelStatus.ESTABLISHED
    label: str | None = "Luc2-eGFP"
    her2: Mapping[int, Her2] = field(default_factory=dict)
    stranger: str | None = None

    @property
    def her2_retained(self) -> CheckResult | None:
        """Say whether the last report still has what the first one had; nothing where there are not two."""
        if len(self.her2) < 2:
            return None
        first, *_, last = (her2.ihc == "3+" or (her2.ratio or 0) >= 2 for her2 in self.her2.values())
        return CheckResult.PASSED if first == last else CheckResult.FAILED


LINES: tuple[Line, ...] = (
    Line("BM-01", "BCBM-P01", (612, 470, 330), 46, (2, 3, 3), her2={0: Her2("3+"), 2: Her2("3+")}),
    Line("BM-02", "BCBM-P02", (532, 400, 270), 58, (1, 2, 3), her2={0: Her2("2+", 2.3, 5.4), 2: Her2("2+", 2.2, 4.9)}),
    Line("BM-03", "BCBM-P03", (402,), 0, (0,), state=ModelStatus.FAILED, label=None),
    Line("BM-04", "BCBM-P04", (562, 430, 300), 52, (2, 2, 3), her2={0: Her2("3+"), 2: Her2("2+", 1.6, 3.4)}),
    Line("BM-05", "BCBM-P05", (517, 390, 265), 40, (2, 3, 3), ImplantSite.INTRATHECAL, her2={1: Her2("3+")}),
    Line("BM-06", "BCBM-P06", (507, 385, 262), 64, (1, 1, 2), ImplantSite.MAMMARY_FAT_PAD, stranger="unknown line"),
    Line("BM-07", "BCBM-P07", (497, 370, 250, 26), 50, (2, 3, 3), her2={2: Her2("3+")}),
    Line("BM-08", "BCBM-P08", (14,), 0, (), state=ModelStatus.ATTEMPTED, label=None),
)
"""BM-03 never grew; BM-04 loses HER2 on the way; BM-06 turns out to be somebody else's; mice of BM-07
were alive when its patient withdrew the consent; BM-08 was implanted a fortnight ago."""


class Passages:
    """Records the lines, one generation after another; keeps the vials that later cohorts are implanted from."""

    def __init__(self, scientist: Hands, technician: Hands, today: date) -> None:
        self._scientist, self._technician, self._today = scientist, technician, today
        self.protocol = self._protocols()
        self._freezers = Freezers(scientist)
        self.models: dict[str, PdxModel] = {}
        self.vials: dict[str, Aliquot] = {}
        """By model: a vial of its last harvest, from which cohorts are implanted."""
        self.spare: dict[str, Aliquot] = {}

    def _day(self, ago: int) -> date:
        return self._today - timedelta(days=ago)

    def _protocols(self) -> AnimalProtocol:
        every = [one.value for one in ProtocolProcedure]
        old = {"code": "DEMO-2021-03", "title": "Engraftment of breast-cancer brain metastases", "animals_allowed": 60}
        new = {"code": "DEMO-2024-07", "title": "Treatment of patient-derived brain metastases", "animals_allowed": 400}
        _, current = self._scientist.record(
            PROTOCOL,
            {**old, "approved_on": self._day(2_000), "expires_on": self._day(700), "procedures": every[:6]},
            {**new, "approved_on": self._day(690), "expires_on": self._day(-400), "procedures": every},
        )
        return current  # type: ignore[no-any-return]  # of the noun

    def grow(self, line: Line, founding: Specimen) -> None:
        """Record a model from its founding tissue to its last harvest."""
        (model,) = self._scientist.record(
            MODEL, {"code": line.model, "founding_specimen_id": founding.id, "luciferase_label": line.label}
        )
        self.models[line.model] = model
        tissue, held = founding, self._freeze(line.model, founding, founding.collected_on or self._today)
        for generation, ago in enumerate(line.implanted):
            implants = self._implant(line, model, held[0], generation, ago)
            harvested = self._harvest(line, implants, generation, ago)
            if harvested is None:
                break
            tissue, held = harvested, self._freeze(line.model, harvested, harvested.collected_on or self._today)
        self.vials[line.model], self.spare[line.model] = held[1], held[2]
        self._conclude(line, model, founding, tissue)

    def _freeze(self, model: str, tissue: Specimen, on: date) -> list[Aliquot]:
        """Bank a specimen: vials that can be implanted first, then snap-frozen pieces of what is solid."""
        viable, fragments = AliquotMaterial.VIABLY_FROZEN, (4, AmountUnit.FRAGMENTS)
        if tissue.kind is SpecimenKind.CSF:
            return self._bank(
                tissue, on, AliquotMaterial.CELL_SUSPENSION, (2e6, AmountUnit.CELLS), VIALS, self._freezers.alive(model)
            )
        held = self._bank(tissue, on, viable, fragments, VIALS, self._freezers.alive(model))
        return held + self._bank(tissue, on, AliquotMaterial.SNAP_FROZEN, (30, AmountUnit.MILLIGRAM), 2, self._freezers.snap)

    def _bank(
        self, tissue: Specimen, on: date, material: AliquotMaterial, held: tuple[float, AmountUnit], count: int, box: StoragePlace
    ) -> list[Aliquot]:
        hands = self._technician
        values = {"material": material, "amount": held[0], "unit": held[1], "preserved_on": on}
        with hands.database.transaction() as session:
            specimen, place = session.get_one(Specimen, tissue.id), session.get_one(StoragePlace, box.id)
            return freeze_aliquots(session, hands.actor, specimen, values, count=count, place=place)

    def _use(self, vial: Aliquot, on: date) -> None:
        hands = self._technician
        with hands.database.transaction() as session:
            use(session, hands.actor, session.get_one(Aliquot, vial.id), amount=None, on=on, note="implanted", all_of_it=True)

    def send(self, model: str, on: date) -> None:
        """Send a vial of a model to another laboratory."""
        hands = self._scientist
        with hands.database.transaction() as session:
            vial = session.get_one(Aliquot, self.spare[model].id)
            ship(session, hands.actor, [vial], partner="Partner laboratory (demo)", tracking="DEMO-0001", on=on)

    def _implant(self, line: Line, model: PdxModel, vial: Aliquot, generation: int, ago: int) -> list[Implant]:
        arrival = Arrival(
            count=PER_GENERATION,
            arrived_on=self._day(ago + 12),
            strain=NSG,
            sex=Sex.FEMALE,
            birth_date=self._day(ago + 60),
            source="synthetic",
            protocol_id=self.protocol.id,
            codes=[f"{line.model}-P{generation}-{number}" for number in range(1, PER_GENERATION + 1)],
            per_cage=PER_GENERATION,
            cages=[f"{line.model}-P{generation}"],
        )
        hands = self._technician
        with hands.database.transaction() as session:
            mice = arrive(session, hands.actor, hands.project, arrival)
        rows = [{"animal_id": mouse.id, **surgery(line.site, model, vial, self._day(ago))} for mouse in mice]
        if rows[0].get("material") is ImplantMaterial.CELLS:
            (count,) = self._technician.record(PREPARATION, _count(f"{line.model} P{generation}", vial, model, self._day(ago)))
            rows = [{**row, "preparation_id": count.id, "viability_percent": None} for row in rows]
        implants = self._scientist.record(IMPLANT, *rows)
        self._use(vial, self._day(ago))
        return implants

    def _harvest(self, line: Line, implants: Sequence[Implant], generation: int, ago: int) -> Specimen | None:
        """Record which implants grew, the end of the animals, and the tumour that the next passage comes from."""
        if generation >= len(line.taken):
            return None
        taken = line.taken[generation]
        end = self._day(ago - line.latency - 40)
        for number, implant in enumerate(implants):
            grew = number < taken
            fields = {
                "engraftment": Engraftment.ENGRAFTED if grew else Engraftment.FAILED,
                "engrafted_on": self._day(ago - line.latency - 3 * number) if grew else None,
            }
            why = "signal above background on two days" if grew else "no signal and no tumour at necropsy"
            self._technician.change(IMPLANT, implant, why, **fields)
        fates = [_fate(implant, end, grew=number < taken) for number, implant in enumerate(implants)]
        hands = self._technician
        with hands.database.transaction() as session:
            record_fates(session, hands.actor, hands.project, fates)
        if not taken:
            return None
        row = {
            "code": f"{line.model}-P{generation}-T1",
            "source_implant_id": implants[0].id,
            "kind": SpecimenKind.TUMOUR,
            "collected_on": end,
            "procedure": CollectionProcedure.NECROPSY,
            "site": "brain" if line.site is BRAIN else line.site.value.replace("_", " "),
            "origin": TumourOrigin.NOT_RECORDED,
            "tumour_content_percent": 85,
            "necrosis_percent": 5,
            "cold_ischaemia_minutes": 6,
        }
        (tissue,) = self._scientist.record(SPECIMEN, row)
        if generation in line.her2:
            self._scientist.record(RECEPTOR_ASSAY, report(tissue, line.her2[generation], end + timedelta(days=9)))
        return tissue  # type: ignore[no-any-return]  # of the noun

    def _conclude(self, line: Line, model: PdxModel, founding: Specimen, last: Specimen) -> None:
        """Record how the model stands, what its last passage was checked for, and what was found in it."""
        if line.state is not ModelStatus.ATTEMPTED:
            fields: dict[str, Any] = {"state": line.state}
            if line.state is ModelStatus.ESTABLISHED:
                fields["established_on"] = self._day(line.implanted[1] - line.latency)
            why = "grew through two passages" if line.state is ModelStatus.ESTABLISHED else "no take in three animals"
            self._scientist.change(MODEL, model, why, **fields)
        if last is founding or last.collected_on is None:
            return
        on = last.collected_on + timedelta(days=14)
        alleles = profile_of(line.stranger or line.donor)
        (profile,) = self._scientist.record(
            STR_PROFILE, {"specimen_id": last.id, "typed_on": on, "kit": "24 loci", "alleles": alleles}
        )
        same = {"model_id": model.id, "specimen_id": last.id, "checked_on": on}
        known = self._profile_of(founding)
        passed = CheckResult.PASSED
        self._scientist.record(
            MODEL_CHECK,
            {
                **same,
                "kind": CheckKind.STR_PROFILE,
                "profile_id": profile.id,
                "reference_profile_id": known,
                "result": self._verdict(line),
            },
            {**same, "kind": CheckKind.MYCOPLASMA, "result": passed, "method": "PCR"},
            {**same, "kind": CheckKind.SPECIES_FRACTION, "result": passed, "value_percent": 91, "method": "species-specific PCR"},
            {**same, "kind": CheckKind.LYMPHOMA_EXCLUSION, "result": passed, "method": "CD45 and EBER"},
            {**same, "kind": CheckKind.HISTOLOGY_CONCORDANCE, "result": passed, "method": "H&E, two readers"},
            *([{**same, "kind": CheckKind.HER2_RETAINED, "result": line.her2_retained}] if line.her2_retained else []),
        )
        if line.model in HARVESTED:
            self._scientist.record(ALTERATION, *({"specimen_id": last.id, **one} for one in HARVESTED[line.model]))
            self._scientist.record(STAIN_REGION, *({"specimen_id": last.id, **one} for one in stains_of(last.code)))

    def _profile_of(self, tissue: Specimen) -> int | None:
        with self._scientist.database.reading() as session:
            return session.scalar(select(StrProfile.id).where(StrProfile.specimen_id == tissue.id))

    @staticmethod
    def _verdict(line: Line) -> CheckResult:
        return CheckResult.FAILED if line.stranger else CheckResult.PASSED

    def add_culture(self, founding: Specimen) -> None:
        """Record an organoid culture beside the first model."""
        row = {"code": "BM-01-ORG", "kind": ModelKind.ORGANOID, "founding_specimen_id": founding.id}
        self._scientist.record(MODEL, row)


def _fate(implant: Implant, on: date, *, grew: bool) -> dict[str, Any]:
    reason, note = (FateReason.TISSUE_HARVEST, "tumour harvested") if grew else (FateReason.SCHEDULED, "no take")
    return {"animal_id": implant.animal_id, "died_on": on, "reason": reason, "method": "CO₂", "note": note}


def _count(sample: str, vial: Aliquot, model: PdxModel, on: date) -> dict[str, Any]:
    """Give the count of the suspension that one operation day's implants are made of."""
    viability, total = 84 + on.toordinal() % 13, 1e7 + 5e5 * (on.toordinal() % 9)
    return {
        "sample": sample,
        "aliquot_id": vial.id,
        "model_id": model.id,
        "counted_on": on,
        "counted_at": datetime.combine(on, SURGERY_ENDS, UTC) - timedelta(hours=2),
        "viable_cells_per_ml": round(total * viability / 100),
        "total_cells_per_ml": total,
        "viability_percent": viability,
        "mean_diameter_um": 14.2,
        "dilution_factor": 10,
        "device": "Cell counter (demo)",
        "operator": "Sami Wren (demo)",
    }


def surgery(site: ImplantSite, model: PdxModel, vial: Aliquot, on: date) -> dict[str, Any]:
    """Give an implant's columns as one operation would record them, its animal and label aside."""
    same = {
        "label": "brain" if site is BRAIN else "CSF" if site is ImplantSite.INTRATHECAL else "MFP R4",
        "site": site,
        "model_id": model.id,
        "aliquot_id": vial.id,
        "implanted_on": on,
        "implanted_at": datetime.combine(on, SURGERY_ENDS, UTC),
        "viability_percent": 92,
        "vehicle": "PBS",
        "anaesthetic": "isoflurane 2 %",
        "analgesic": "buprenorphine 0.1 mg/kg",
        "analgesia_hours": 8,
        "analgesia_doses": 3,
        "surgeon": "Sami Wren (demo)",
    }
    if site is BRAIN:
        return same | STEREOTACTIC
    if site is ImplantSite.MAMMARY_FAT_PAD:
        return same | {"region": "right fourth", "material": ImplantMaterial.CELLS, "cell_count": 500_000, "volume_ul": 50}
    return same | {
        "region": "cisterna magna",
        "material": ImplantMaterial.CELLS,
        "cell_count": 50_000,
        "volume_ul": 5,
        "rate_ul_min": 1,
    }


STEREOTACTIC: dict[str, Any] = {
    "region": "striatum",
    "hemisphere": Hemisphere.RIGHT,
    "material": ImplantMaterial.CELLS,
    "cell_count": 100_000,
    "volume_ul": 2,
    "rate_ul_min": 0.5,
    "dwell_min": 3,
    "ap_mm": 0.5,
    "ml_mm": 2.0,
    "dv_mm": 3.0,
    "coordinate_origin": StereotacticOrigin.BREGMA,
    "depth_reference": DepthReference.DURA,
    "needle": "Hamilton 26G",
}
