"""Where the rules of the domain stand, as refusals and doubts name it on the page.

A published rule is named so that a reader finds it; a rule of our own says so. Rules of one module alone keep their source
there (`lims.domain.her2`, `lims.domain.consents`, `lims.domain.pseudonyms`, `lims.domain.surgery_limits`).
"""

from __future__ import annotations

_OWN = "a rule of this system"

ORDER_OF_EVENTS = f"order of events, {_OWN} (ARRIVE 2.0, items 8 and 9; SPREC 3.0)"
NEVER_TWICE = f"identifiers are never given twice, {_OWN}"
NEVER_CHANGED = f"what other records follow from is never changed, {_OWN}"
ALL_OR_PART = f"nothing gives more than it holds, {_OWN}"
ONE_PLACE = f"one aliquot in one position, {_OWN}"
NAMED_PLACES = f"how storage is built up, {_OWN} (ANSI/SLAS 4, rows and columns)"
ONE_TAG = f"an animal is told apart by its tag or chip, {_OWN}"
PLAUSIBLE = f"what the field can hold, {_OWN}"
CONSISTENT = f"facts of one record do not contradict each other, {_OWN}"

CLINICAL = "PDX-MI (Meehan et al. 2017), clinical module"
LINEAGE = "PDX-MI (Meehan et al. 2017), model creation"
QUALITY = "PDX-MI (Meehan et al. 2017), quality assurance"
UBERON = "Uberon multi-species anatomy ontology"
NCIT = "NCI Thesaurus"
GENE_SYMBOLS = "approved symbols of HGNC (human) and MGI (mouse)"
HGVS = "HGVS nomenclature 21.1"
MIQE = "MIQE guidelines (Bustin et al. 2009)"
STR_TYPING = "ANSI/ATCC ASN-0002-2022"
SAMPLE_TYPES = "MIABIS 2.0, sample types; SPREC 3.0"
LIVING_TISSUE = "SPREC 3.0, long-term storage: living cells"
FREEZE_THAW = "ISBER Best Practices, freeze-thaw cycles"
CNS_DISEASE = "DEBBRAH (NCT04420598), disease of the patient at collection"
AUTHORISED = "ARRIVE 2.0, item 14; Directive 2010/63/EU, articles 36 and 40"
HOUSING = "Directive 2010/63/EU, article 33 and annex III"
