"""Reads: from the query string of a request to the rows of its response.

A request meets the modules in this order: permissions; query_string, parameters (with
page_parameters, cursors, operands, filters and expressions, which build a condition tree), which
make a query; projection and scope; statements and pagination (with conditions, text_search and
ordering, which make SQL); include.
"""

from . import statements
from .filters import EQUALITY, LISTS, MATCHES, operators_of
from .include import Included, load_included
from .operands import DECIMAL, bounds_of
from .page_parameters import MOST_PAGES
from .pagination import Page, fetch_page
from .parameters import ALWAYS_SHOWN, parse_query
from .permissions import challenge, is_anonymous, may, missing, permissions, permit
from .projection import Projection, id_of, project, version_of
from .proof import Proof, Prover
from .query import CURSOR_PROFILE, CursorPage, Endpoint, Pairs, Query
from .query_string import refuse_parameters
from .readable import Readable
from .scope import Scope, Scopes
from .statements import begin_changes, begin_snapshot
from .tree import And, Compare, Condition, Count, Not, Or, Related

__all__ = [
    "ALWAYS_SHOWN",
    "CURSOR_PROFILE",
    "DECIMAL",
    "EQUALITY",
    "LISTS",
    "MATCHES",
    "MOST_PAGES",
    "And",
    "Compare",
    "Condition",
    "Count",
    "CursorPage",
    "Endpoint",
    "Included",
    "Not",
    "Or",
    "Page",
    "Pairs",
    "Projection",
    "Proof",
    "Prover",
    "Query",
    "Readable",
    "Related",
    "Scope",
    "Scopes",
    "begin_changes",
    "begin_snapshot",
    "bounds_of",
    "challenge",
    "fetch_page",
    "id_of",
    "is_anonymous",
    "load_included",
    "may",
    "missing",
    "operators_of",
    "parse_query",
    "permissions",
    "permit",
    "project",
    "refuse_parameters",
    "statements",
    "version_of",
]
