"""Controlled terms of the colony: protocols, surgery, stereotactic coordinates, engraftment."""

from __future__ import annotations

from enum import StrEnum


class ProtocolProcedure(StrEnum):
    """What an animal protocol may allow. The implanting ones are the sites of `ImplantSite`."""

    INTRACRANIAL = "intracranial"
    INTRACAROTID = "intracarotid"
    INTRACARDIAC = "intracardiac"
    INTRATHECAL = "intrathecal"
    MAMMARY_FAT_PAD = "mammary_fat_pad"
    SUBCUTANEOUS = "subcutaneous"
    TAIL_VEIN = "tail_vein"
    DOSING = "dosing"
    IMAGING = "imaging"
    IRRADIATION = "irradiation"
    BLOOD_DRAW = "blood_draw"
    CSF_TAP = "csf_tap"
    SURGERY = "surgery"
    """Other than implanting, such as a cannula or a sham operation."""
    NECROPSY = "necropsy"


class Hemisphere(StrEnum):
    """Side of the brain, or of the body."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


class StereotacticOrigin(StrEnum):
    """The point of the skull from which AP and ML are measured."""

    BREGMA = "bregma"
    LAMBDA = "lambda"


class DepthReference(StrEnum):
    """The surface from which DV is measured."""

    SKULL = "skull"
    DURA = "dura"


class ImplantMaterial(StrEnum):
    """What was put in: counted cells, or pieces of tissue."""

    CELLS = "cells"
    FRAGMENT = "fragment"


class Engraftment(StrEnum):
    """Whether an implant grew: counted into a model's take rate."""

    PENDING = "pending"
    ENGRAFTED = "engrafted"
    FAILED = "failed"


class Orthotopic(StrEnum):
    """Whether an implant stands in the organ its tissue was collected from, or arose in."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
