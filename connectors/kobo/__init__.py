"""KoboToolbox: exports as files, forms, and the server."""
