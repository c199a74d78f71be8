"""probe watches a whole stack. Public and typed: `probe.check` (write a kind) and `probe.api` (run checks)."""
