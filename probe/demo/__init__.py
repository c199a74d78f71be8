"""`probe demo`: a real stack from Python wheels alone, and the agent on it. One module a part of the stack."""
