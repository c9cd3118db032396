"""One file per source. Each function takes the root (or path, or array), a `Draw` and its options by keyword."""
