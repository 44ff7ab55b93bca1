"""The record of patient-derived xenograft work in breast-cancer brain metastasis."""
