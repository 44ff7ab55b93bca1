"""The JSON API: reading, by a token or in a signed-in browser; nothing is changed through it."""
