"""Pages: form → one call of `lims.records` or `lims.queries` → response. `lims.views.support` says how to write one."""
