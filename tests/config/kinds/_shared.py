"""Not a kind: its name starts with _."""

raise AssertionError("nobody asked for this module")
