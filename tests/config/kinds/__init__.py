"""Tiny kinds, for the registry and the config to find."""
