"""Measures imports, the audit trail and start-up against floors taken in the same run: `python -m benchmarks`."""
