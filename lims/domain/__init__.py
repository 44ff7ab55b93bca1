"""Pure rules and vocabularies of the domain: no database, no web, no clock."""
