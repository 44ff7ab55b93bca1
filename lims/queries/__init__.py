"""Read models for pages, API and exports; the one place that scopes by project."""
