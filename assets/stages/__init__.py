"""The stages of a delivery's way through the house, as plain functions of a workplace and a delivery.

They know no Dagster: `assets/factory.py` wraps them for it, `homeward check` calls them without it. Each can be run
again with the same result, and says what it did in a `StageReport` - counts, rule ids and schemas, never a value.
"""
