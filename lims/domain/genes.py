"""The genes that an alteration may name: a pinned list of approved symbols, aliases, and three pathway sets.

Source: HGNC for the human tumour, MGI for the mouse host; chosen from MSK-IMPACT 341 and FoundationOne T7, and from work on
brain metastasis and the blood–brain barrier. A symbol that is not on the list is refused: a new one comes with a new
version of it. Mouse symbols are no translations of human ones: the mouse has Abcb1a and Abcb1b where humans have ABCB1.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from lims.domain.errors import DomainError
from lims.domain.gene_aliases import HUMAN_ALIASES, MOUSE_ALIASES
from lims.domain.sources import GENE_SYMBOLS
from lims.domain.tissue_terms import Compartment

GENE_LIST_VERSION = date(2026, 11, 25)
"""The day the list was last changed."""


class PathwaySet(StrEnum):
    """What this work asks of a gene: does it drive the tumour, or keep the drug out."""

    HER_FAMILY = "her_family"
    PI3K_AKT_MTOR = "pi3k_akt_mtor"
    ABC_TRANSPORTERS = "abc_transporters"


# The four receptors and the ligands whose fusions or expression drive them.
_HER_FAMILY = "EGFR ERBB2 ERBB3 ERBB4 EGF TGFA AREG EREG EPGN BTC HBEGF NRG1 NRG2 NRG3 NRG4"

# From the receptor's substrates to the regulators of translation.
_PI3K_AKT_MTOR = """
    PIK3CA PIK3CB PIK3CD PIK3CG PIK3C2A PIK3C2B PIK3C2G PIK3C3 PIK3R1 PIK3R2 PIK3R3 PIK3IP1 PTEN PDPK1 AKT1 AKT2 AKT3 AKT1S1
    MTOR RPTOR RICTOR MLST8 DEPTOR MAPKAP1 TSC1 TSC2 TBC1D7 RHEB STK11 DEPDC5 NPRL2 NPRL3 INPP4A INPP4B INPPL1 PHLPP1 PHLPP2
    IRS1 IRS2 PREX2 FOXO1 FOXO3 GSK3B RPS6 RPS6KB1 RPS6KB2 EIF4E EIF4EBP1 PPP2R1A
"""

_ABC_TRANSPORTERS = "ABCA1 ABCA2 ABCB1 ABCB4 ABCB11 ABCC1 ABCC2 ABCC3 ABCC4 ABCC5 ABCC6 ABCC10 ABCC11 ABCG1 ABCG2"

_UPTAKE = """
    SLCO1A2 SLCO1B1 SLCO1B3 SLCO1C1 SLCO2B1 SLC22A1 SLC22A2 SLC22A3 SLC22A8 SLC2A1 SLC7A5 SLC3A2 SLC16A1 SLC19A1 SLC29A1 SLC39A6
    TFRC LRP1 MFSD2A
"""

_BREAST = """
    ESR1 ESR2 PGR AR GATA3 FOXA1 XBP1 GREB1 TFF1 TBX3 CDH1 MAP3K1 MAP2K4 CBFB RUNX1 NCOR1 NCOR2 KMT2C KMT2D ARID1A ARID1B ARID2
    CCND1 CCND2 CCND3 CCNE1 CDK4 CDK6 CDK12 CDKN1A CDKN1B CDKN2A CDKN2B CDKN2C RB1 E2F3 MYC MYCN MYCL MDM2 MDM4 TP53 TP63 ZNF217
    ZNF703 GRB7 STARD3 PGAP3 MIEN1 TOP2A TOP1 FASN EMSY FGFR1 FGFR2 FGFR3 FGFR4 FGF3 FGF4 FGF19 IGF1 IGF1R IGF2 INSR TACSTD2 MUC1
    MKI67 KRT5 KRT7 KRT8 KRT14 KRT17 KRT18 KRT19 EPCAM CD24 CD44 ALDH1A1 PROM1 VIM SNAI1 SNAI2 TWIST1 ZEB1 AURKA AURKB PLK1
    SF3B1 SPEN
"""

_BRAIN_METASTASIS = """
    ST6GALNAC5 PTGS2 L1CAM SERPINI1 SERPINB2 CTSS PCDH7 GJA1 FABP7 LCN2 CXCR4 CXCL12 CCL2 ANGPT2 VEGFA KDR FLT1 FLT4 LAMA4 ITGAV
    ITGB1 ITGB3 ITGB4 RELN S100A4 S100A7 S100A8 S100A9 MMP1 MMP2 MMP3 MMP9 NTRK1 NTRK2 NTRK3 BDNF TIMP1 HGF MET SRC YES1 STAT3
    NOTCH1 NOTCH2 NOTCH3 NOTCH4 HEY1 CLDN5 OCLN TJP1 CDH2 CDH5 PECAM1 PLVAP PDGFRA PDGFRB AQP4 GFAP
"""

_REPAIR = """
    BRCA1 BRCA2 PALB2 ATM ATR CHEK1 CHEK2 BARD1 BRIP1 RAD50 RAD51 RAD51B RAD51C RAD51D RAD52 RAD54L MRE11 NBN FANCA FANCC FANCD2
    FANCE FANCF FANCG FANCL BLM BAP1 PARP1 PARP2 MLH1 MSH2 MSH6 PMS2 MUTYH POLE POLD1 ERCC2 ERCC3 ERCC4 XRCC2 MDC1 ABRAXAS1 MGMT
    SLFN11
"""

_PANELS = """
    ABL1 ALK APC ARAF ASXL1 ATRX AXIN1 AXIN2 AXL B2M BCL2 BCL2L1 BCL2L11 BCL6 BCOR BRAF BRD4 BTK CASP8 CBL CD274 CDC73 CDK8 CIC
    CREBBP CRKL CSF1R CTCF CTLA4 CTNNB1 CUL3 DAXX DDR2 DICER1 DNMT3A EP300 EPHA3 EPHA5 EPHB1 EZH2 FAT1 FBXW7 FH FLCN FLT3 GLI1 GNA11
    GNAQ GNAS H3-3A HNF1A HRAS IDH1 IDH2 IKBKE IL6 IL7R JAK1 JAK2 JAK3 JUN KDM5A KDM5C KDM6A KEAP1 KIT KLF4 KMT2A KRAS LATS1 LATS2
    MAP2K1 MAP2K2 MAPK1 MAPK3 MAX MCL1 MED12 MEN1 MITF MYB NF1 NF2 NFE2L2 NKX2-1 NPM1 NRAS PAK1 PAX5 PBRM1 PDCD1 PDCD1LG2 PIM1
    PRKAR1A PRKN PTCH1 PTPN11 PTPRC PTPRD RAC1 RAF1 RARA RET RHOA RNF43 ROS1 SDHA SDHB SETD2 SHH SMAD2 SMAD3 SMAD4 SMARCA4 SMARCB1
    SMO SOCS1 SOX2 SOX9 SOX10 SOX17 SPOP STAG2 SUFU SYK TERT TET2 TGFB1 TGFBR1 TGFBR2 TNF TSHR U2AF1 VHL WT1 XIAP XPO1 YAP1
"""

_MOUSE_HER_FAMILY = "Egfr Erbb2 Erbb3 Erbb4 Egf Tgfa Areg Ereg Epgn Btc Hbegf Nrg1 Nrg2 Nrg3 Nrg4"

_MOUSE_PI3K_AKT_MTOR = "Pik3ca Pik3cb Pik3cd Pik3r1 Pten Akt1 Akt2 Akt3 Mtor Rptor Rictor Tsc1 Tsc2 Rheb Rps6 Rps6kb1 Eif4ebp1"

_MOUSE_ABC_TRANSPORTERS = "Abca1 Abca2 Abcb1a Abcb1b Abcb4 Abcb11 Abcc1 Abcc2 Abcc3 Abcc4 Abcc5 Abcc6 Abcc10 Abcg1 Abcg2"

_MOUSE_HOST = """
    Slco1a4 Slco1c1 Slco2b1 Slc22a8 Slc2a1 Slc7a5 Slc3a2 Slc16a1 Slc29a1 Tfrc Lrp1 Mfsd2a Cldn5 Ocln Tjp1 Cdh5 Pecam1 Plvap Cav1
    Vwf Pdgfrb Rgs5 Cspg4 Des S1pr1 S1pr3 Aqp4 Gfap Vim S100b Gja1 Aif1 Tmem119 P2ry12 Cx3cr1 Itgam Ptprc Csf1r Cd68 Cd163 Adgre1
    Mrc1 Vegfa Kdr Flt1 Angpt2 Lcn2 Ptgs2 Cxcl12 Cxcr4 Ccl2 Tnf Il1b Il6 Tgfb1 Stat3 Serpine1 Serpini1 Plg Fgf2 Mmp2 Mmp3 Mmp9
    Icam1 Vcam1 Sele Mbp Rbfox3 Reln Bdnf Hgf Igf1 Trp53 Mki67 Prkdc Il2rg Foxn1 Rag1 Rag2
"""


def _symbols(*groups: str) -> frozenset[str]:
    return frozenset(" ".join(groups).split())


_PATHWAYS: Mapping[PathwaySet, frozenset[str]] = {
    PathwaySet.HER_FAMILY: _symbols(_HER_FAMILY, _MOUSE_HER_FAMILY),
    PathwaySet.PI3K_AKT_MTOR: _symbols(_PI3K_AKT_MTOR, _MOUSE_PI3K_AKT_MTOR),
    PathwaySet.ABC_TRANSPORTERS: _symbols(_ABC_TRANSPORTERS, _MOUSE_ABC_TRANSPORTERS),
}

GENES: Mapping[Compartment, frozenset[str]] = {
    Compartment.HUMAN_TUMOUR: _symbols(
        _HER_FAMILY, _PI3K_AKT_MTOR, _ABC_TRANSPORTERS, _UPTAKE, _BREAST, _BRAIN_METASTASIS, _REPAIR, _PANELS
    ),
    Compartment.MOUSE_HOST: _symbols(_MOUSE_HER_FAMILY, _MOUSE_PI3K_AKT_MTOR, _MOUSE_ABC_TRANSPORTERS, _MOUSE_HOST),
}
"""Compartment → its approved symbols: HGNC for the tumour, MGI for the host."""


def pathways_of(symbol: str) -> tuple[PathwaySet, ...]:
    """Give the pathway sets of an approved symbol, human or mouse; none for most genes (sets as in the module's lists)."""
    return tuple(pathway for pathway in PathwaySet if symbol in _PATHWAYS[pathway])


def genes_of(pathway: PathwaySet, compartment: Compartment) -> tuple[str, ...]:
    """Give the symbols of a pathway set in one compartment, in order, so that a query can filter by it."""
    return tuple(sorted(_PATHWAYS[pathway] & GENES[compartment]))


def clean_gene(text: str, compartment: Compartment) -> str:
    """Give the approved symbol: case as HGNC or MGI writes it, usual aliases (HER2, MDR1, BCRP, ERα) resolved.

    Raises:
        DomainError: on `gene`: the symbol is not on the list of this compartment; the closest ones are named.
    """
    key = _key(text)
    if not key:
        raise DomainError("The gene is empty.", field="gene", expected=_EXPECTED[compartment], source=GENE_SYMBOLS)
    found = _INDEX[compartment].get(key)
    if found is not None:
        return found
    other = next(one for one in Compartment if one is not compartment)
    shown = "".join(character for character in text.strip()[:30] if character.isprintable())
    elsewhere = _INDEX[other].get(key)
    if elsewhere is not None and elsewhere in GENES[other]:
        raise DomainError(
            f'"{shown}" is a gene of the {_WHOSE[other]}, and this finding is in the {_WHOSE[compartment]}.',
            field="gene",
            expected=_suggest(key, compartment) or _EXPECTED[compartment],
            remedy=f"Choose the compartment {_WHOSE[other]}, or the {_WHOSE[compartment]}'s own symbol.",
            source=GENE_SYMBOLS,
        )
    raise DomainError(
        f'"{shown}" is no gene of the list for the {_WHOSE[compartment]} (version {GENE_LIST_VERSION}).',
        field="gene",
        expected=_suggest(key, compartment) or _EXPECTED[compartment],
        remedy="Check the spelling. If the gene is missing from the list, ask for it to be added.",
        source=GENE_SYMBOLS,
    )


_WHOSE = {Compartment.HUMAN_TUMOUR: "human tumour", Compartment.MOUSE_HOST: "mouse host"}
_EXPECTED = {
    Compartment.HUMAN_TUMOUR: "an HGNC symbol, such as ERBB2 or PIK3CA",
    Compartment.MOUSE_HOST: "an MGI symbol, such as Abcb1a or Abcg2",
}
_SEPARATORS = re.compile(r"[\s\-_/.()]+")
_GREEK = str.maketrans({"α": "alpha", "β": "beta", "κ": "kappa", "γ": "gamma", "δ": "delta"})


def _key(text: str) -> str:
    """What two spellings of one symbol have in common."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_GREEK))


def _indexed(symbols: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Every spelling → symbol. An approved symbol is itself, whatever else goes by that name."""
    return {_key(alias): symbol for alias, symbol in aliases.items()} | {_key(symbol): symbol for symbol in symbols}


_INDEX: Mapping[Compartment, Mapping[str, str]] = {
    Compartment.HUMAN_TUMOUR: _indexed(GENES[Compartment.HUMAN_TUMOUR], HUMAN_ALIASES),
    Compartment.MOUSE_HOST: _indexed(GENES[Compartment.MOUSE_HOST], MOUSE_ALIASES),
}


def _suggest(key: str, compartment: Compartment) -> str:
    """The closest symbols in words; nothing where none is close."""
    typed = key[:30]
    near = difflib.get_close_matches(typed, list(_INDEX[compartment]), n=12, cutoff=0.6)
    # Of those equally near, letters that changed places come first.
    near.sort(key=lambda one: (-difflib.SequenceMatcher(None, one, typed).ratio(), sorted(one) != sorted(typed), one))
    symbols = list(dict.fromkeys(_INDEX[compartment][one] for one in near))[:3]
    return f"perhaps {' or '.join(symbols)}" if symbols else ""
