"""Free text with what identifies people taken out of it, or not passed on at all.

`policy` says which language may be redacted, `redactor` does it in bulk, `analyzer` lets Presidio use the same
recognizer. Where the text comes from and where it goes is the business of the gate.
"""
