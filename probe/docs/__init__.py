"""From the declarations of the kinds to everything that is derived from them: schema, reference, pages.

All of it is written by `python -m probe.docs`, committed, shipped in the wheel, and tested to be fresh.
"""
