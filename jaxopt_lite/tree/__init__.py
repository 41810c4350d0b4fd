"""Trees of arrays: structure, dtypes, zeros, paths, and packed leaves."""
