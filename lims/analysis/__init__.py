"""Statistics: columns in, results out. No database, no Flask; statistics libraries are imported when they are used."""
