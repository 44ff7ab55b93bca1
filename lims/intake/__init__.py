"""From a file to committed records: upload, resolve, validate, preview, commit, withdraw; one file each."""
