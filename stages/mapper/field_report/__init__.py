"""The field report: after all stages, what became of each field, and what is left out on purpose."""
