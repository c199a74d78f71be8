"""One module a kind. Nothing lists them: `probe.registry` finds them by name."""
