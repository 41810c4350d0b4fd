"""Trees of arrays: structure, dtypes, zeros, paths, and leaves that are packed."""
