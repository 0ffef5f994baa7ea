"""Writes: from the document of a request to changed rows.

A request meets the modules in this order: json_text, body and identifiers, which read the document,
and linkage_permissions; operation_reading (with operation_shape and operation_target) and
operations, if it has atomic operations; actions, which call locking and preconditions,
linkage_changes, entities and linkage, conflicts, and return changes.
"""

from . import actions, body, operations
from .body import LoadedResource
from .changes import Change, LinkageChange
from .conflicts import conflict
from .identifiers import load_linkage
from .json_text import parse_json, read_body
from .linkage_permissions import permit_linkages
from .operation_reading import load_operations
from .operation_shape import OPERATION_CODES, OPERATIONS_MEMBER
from .preconditions import Precondition

__all__ = [
    "OPERATIONS_MEMBER",
    "OPERATION_CODES",
    "Change",
    "LinkageChange",
    "LoadedResource",
    "Precondition",
    "actions",
    "body",
    "conflict",
    "load_linkage",
    "load_operations",
    "operations",
    "parse_json",
    "permit_linkages",
    "read_body",
]
