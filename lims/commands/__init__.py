"""The commands of `lims`, one module a noun, loaded when they are called."""
