"""Proposes how a file's columns could map onto the codebook. Every proposal is for a person to approve."""
