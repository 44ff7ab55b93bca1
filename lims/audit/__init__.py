"""The audit trail: who changed what, when and why, written in the transaction that makes the change, and provable."""
