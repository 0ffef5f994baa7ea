"""From a request's document to changed rows: what other rooms use of it."""

from . import actions, body, operations
from .changes import Change, LinkageChange
from .conflicts import conflict
from .identifiers import load_linkage
from .json_text import read_json
from .operation_shape import OPERATION_CODES, OPERATIONS_MEMBER
from .preconditions import Precondition

__all__ = [
    "OPERATIONS_MEMBER",
    "OPERATION_CODES",
    "Change",
    "LinkageChange",
    "Precondition",
    "actions",
    "body",
    "conflict",
    "load_linkage",
    "operations",
    "read_json",
]
