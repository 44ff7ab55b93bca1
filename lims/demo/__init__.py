"""A synthetic laboratory for trying things out: people, tissue, cohorts and instrument files, all made by a seeded generator."""
