"""Text files: delimited, fixed width and JSON, whatever their encoding."""
