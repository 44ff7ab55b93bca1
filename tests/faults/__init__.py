"""Attacks and faults against the running application, after docs/faults.md; what is tested elsewhere is named there."""
