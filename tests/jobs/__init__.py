"""Jobs: locks, the table, the work, the worker."""
