"""What is in an unknown file: shapes, counts and what columns look like. Never a value."""
