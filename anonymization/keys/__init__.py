"""The keys of an installation, what is derived from them, and how they are changed."""
