"""The vault: persons, tokens and sealed identities; who may see them, and how they are forgotten."""
