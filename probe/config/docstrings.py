"""The docstrings below the attributes of a class, which Python does not keep.

pydantic's `use_attribute_docstrings` would read the sources of a model at each import, which costs more than to run
a check; only docs and schema need them.
"""

import ast
import inspect
import textwrap
from itertools import pairwise


def docstrings_of(owner: type) -> dict[str, str]:
    """By the name of the attribute; those of its bases are theirs."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    return {
        ast.unparse(member.target if isinstance(member, ast.AnnAssign) else member.targets[0]): inspect.cleandoc(text)
        for member, below in pairwise(body.body if isinstance(body, ast.ClassDef) else [])
        if isinstance(member, ast.Assign | ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(text := below.value.value, str)
    }
