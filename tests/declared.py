"""What a source declares beside its files and columns, for tests that look at neither owner nor agreement."""

AGREED = """\
owner: owner@example.org
purpose: reintegration_statistics
legal_basis: agreement
agreement: DSA-1
expires: 2099-12-31
retention_months: 60
"""
