"""Who is who: the same person recognised, by exact identifiers and by likeness."""
