"""`probe demo`: a real stack from Python wheels alone, and the agent on it. One module a part of the stack."""

PARTS = ("db", "cache", "bucket", "langfuse", "api")
"""What can be broken, by the name of its check in the example config."""
