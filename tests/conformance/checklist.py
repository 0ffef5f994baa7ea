"""The checklist of JSON:API 1.1, its Atomic Operations extension and its cursor pagination profile.

A requirement has an id, such as CN-01, and a level: M must, S should, O optional, H of HTTP itself,
R recommended, X beyond the specification.
"""

# The section of each prefix, and the levels of its requirements in their order, from 01.
SECTIONS = {
    "CN": ("Content negotiation", "MMMMMMMMMMMMMHMHHHHHXMHHXSMMMMSMMMSHH"),
    "DS": ("Document structure", "MMMMMMMOOSOOMMMHHXXMM"),
    "RO": ("Resource objects", "MMMMMMMMSOMMMMMMMMOMMOMMXXX"),
    "IN": ("Inclusion", "MMMMMMMMSMMMOOXXXMM"),
    "LK": ("Links", "MMMMMMMOSXX"),
    "JO": ("The jsonapi object", "OMOO"),
    "MN": ("Member names", "MMMMMSMOMM"),
    "FR": ("Fetching resources", "MMMMMMMMMMHHHHHHHHHXXX"),
    "FL": ("Fetching relationships", "MMMMOOOM"),
    "FS": ("Sparse fieldsets", "MMMMMMOXXMMX"),
    "SO": ("Sorting", "MMSMMOMOXXX"),
    "PG": ("Pagination", "MMMMSMMMXXXXXOH"),
    "FI": ("Filtering", "SRRRMMMXXXXXX"),
    "CR": ("Creating resources", "MMMMSMMMMMMOMMMMMMOSXXXXM"),
    "UP": ("Updating resources", "MMMMMOOMMMMOMMMMOSMHXHXRX"),
    "UR": ("Updating relationships", "MMMMMMMMMMMMMOMMMMMXXHXX"),
    "DE": ("Deleting resources", "MSMMXHH"),
    "QP": ("Query parameters", "MMMSMMMSMXXXH"),
    "ER": ("Errors", "MMSOOSOSMMOOSSOHHHXMX"),
    "RC": ("Recommendations", "RRRRRRRR"),
    "AT": ("Atomic operations", "MMMMMMMMMMMMMOMSMMOOMOMMMMMMMOMXXXXO"),
    "CP": ("Cursor pagination", "MMMMMMMMMMMMMMMMMMMSSMMOOMXXXM"),
    "OB": ("Operation", "XXXXXXXX"),
}

LEVELS = {
    f"{prefix}-{number:02}": level
    for prefix, (_, levels) in SECTIONS.items()
    for number, level in enumerate(levels, 1)
}

# Every row of these levels needs a test that passes.
REQUIRED = {"M", "H", "X"}

# Rows that the service does not have, and why. Anything else at a level that is required is a gap.
NOT_OFFERED: dict[str, str] = {
    "CN-35": "The service makes no URIs of extensions or profiles of its own.",
    "MN-08": "No document has an @-member.",
    "PG-14": "Relationship objects carry no pagination links; linkage is paged at its own URL.",
    "CR-18": "No request is processed asynchronously.",
    "CR-24": "Idempotency keys come later.",
    "UP-13": "No request is processed asynchronously.",
    "UP-12": "A change is answered with the resource as it is now.",
    "UP-24": "Methods are not overridden by a header; every client of today can send PATCH.",
    "UR-14": "A change of a relationship is answered with 204.",
    "UR-15": "No request is processed asynchronously.",
    "UR-24": "There is no authorization of single users yet.",
    "DE-03": "No request is processed asynchronously.",
    "ER-13": "Error objects link to no page of their own; docs/errors.md explains their codes.",
    "ER-16": "There is no authentication yet.",
    "ER-17": "Requests are not counted, so that none is one too many.",
    "RC-05": "No request is processed asynchronously.",
    "RC-06": "No request is processed asynchronously.",
    "RC-07": "No request is processed asynchronously.",
    "RC-08": "Methods are not overridden by a header; every client of today can send PATCH.",
    "AT-19": "The result of an added resource always has it as its data.",
    "CP-25": "Totals are exact or not given; none is estimated.",
    "OB-02": "`make description` does it; it takes longer than a test may.",
    "OB-05": "Other origins are not served yet.",
    "OB-07": "No route is deprecated.",
}
