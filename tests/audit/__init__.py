"""The audit trail: written by every path, refused to editors, verified, exported."""
