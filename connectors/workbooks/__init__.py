"""Workbooks of every kind, parsed in a process of their own."""
