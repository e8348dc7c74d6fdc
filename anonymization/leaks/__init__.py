"""Leaks: errors robbed of their values, and canaries looked for in every form."""
