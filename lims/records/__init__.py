"""The only write path: form, import, API and command line all call these, one row or many. No Flask in here."""
