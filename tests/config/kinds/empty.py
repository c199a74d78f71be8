"""A module without a Check."""
