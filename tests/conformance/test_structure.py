"""The validator of documents: it takes what is right, and names what is wrong by its row."""

import pytest

from tests.conformance.structure import faults

USER = {"type": "users", "id": "1"}
LINKS = {"self": "http://localhost/users/1"}
FULL = USER | {"attributes": {"name": "Ada"}, "links": LINKS}
OTHER = FULL | {"id": "2"}


def related(data, **more):
    return FULL | {"relationships": {"boss": {"links": LINKS, "data": data, **more}}}


GOOD = [
    {"meta": {}},
    {"data": None},
    {"data": []},
    {"data": [FULL, OTHER], "links": LINKS | {"prev": None, "next": {"href": "?page%5Bsize%5D=1"}}},
    {"data": USER, "included": [FULL]},
    {"data": related({"type": "users", "id": "2"}), "included": [OTHER]},
    {"data": FULL | {"attributes": {"@x": 1, "naïve name": {"a-b": 1}}}},
    {
        "jsonapi": {"version": "1.1", "ext": ["https://jsonapi.org/ext/atomic"]},
        "atomic:results": [{}, {"data": FULL}],
    },
    {"errors": [{"status": "404", "source": {"parameter": "a"}, "links": {"type": "https://x/y"}}]},
]


@pytest.mark.parametrize("document", GOOD, ids=str)
def test_a_valid_document_has_no_fault_but_a_name_that_needs_escapes(document):
    assert {row for row, _ in faults(document)} <= {"MN-06"}


BROKEN = [
    ("DS-01", []),
    ("DS-03", {"links": LINKS}),
    ("DS-04", {"data": None, "errors": []}),
    ("DS-05", {"meta": {}, "included": []}),
    ("DS-06", {"data": None, "extra": 1}),
    ("DS-06", {"data": FULL | {"extra": 1}}),
    ("DS-06", {"data": related(None, extra=1)}),
    ("DS-15", {"data": [USER, FULL]}),
    ("RO-01", {"data": {"type": "users", "attributes": {}}}),
    ("RO-02", {"data": FULL | {"id": 1}}),
    ("RO-04", {"data": FULL | {"type": "-users"}}),
    ("RO-07", {"data": FULL | {"attributes": {"type": "x"}}}),
    ("RO-07", {"data": related(None) | {"attributes": {"boss": "x"}}}),
    ("RO-08", {"data": FULL | {"attributes": []}}),
    ("RO-09", {"data": related(None) | {"attributes": {"boss_id": "x"}}}),
    ("RO-11", {"data": FULL | {"relationships": []}}),
    ("RO-11", {"data": FULL | {"relationships": {"boss": []}}}),
    ("RO-12", {"data": FULL | {"relationships": {"boss": {}}}}),
    ("RO-13", {"data": FULL | {"relationships": {"boss": {"links": {"next": None}}}}}),
    ("RO-16", {"data": related("1")}),
    ("RO-18", {"data": related({"type": "users"})}),
    ("RO-18", {"data": related(FULL)}),
    ("RO-19", {"data": FULL | {"meta": []}}),
    ("RO-19", {"data": related(None, meta=1)}),
    ("IN-01", {"data": None, "included": {}}),
    ("IN-02", {"data": FULL, "included": [OTHER]}),
    ("IN-04", {"data": related(USER), "included": [FULL]}),
    ("IN-04", {"data": USER, "included": [FULL, FULL]}),
    ("LK-01", {"meta": []}),
    ("LK-02", {"data": None, "links": []}),
    ("LK-03", {"data": None, "links": {"self": 1}}),
    ("LK-03", {"data": None, "links": {"self": "a b"}}),
    ("LK-03", {"data": None, "links": {"self": "?page[size]=1"}}),
    ("LK-04", {"data": None, "links": {"self": {"title": "x"}}}),
    ("LK-05", {"data": None, "links": {"self": {"href": "x", "extra": 1}}}),
    ("LK-06", {"data": None, "links": {"self": {"href": "x", "rel": "nope"}}}),
    ("LK-07", {"data": None, "links": {"self": {"href": "x", "hreflang": ["de", "?"]}}}),
    ("LK-08", {"data": None, "links": {"self": {"href": "x", "describedby": 1}}}),
    ("JO-01", {"data": None, "jsonapi": {"version": 1.1}}),
    ("JO-02", {"data": None, "jsonapi": {"extra": 1}}),
    ("JO-03", {"data": None, "jsonapi": {"ext": "https://x/y"}}),
    ("JO-04", {"data": None, "jsonapi": {"profile": [1]}}),
    ("MN-02", {"meta": {"": 1}}),
    ("MN-03", {"meta": {"a+b": 1}}),
    ("MN-04", {"meta": {"_a": 1}}),
    ("MN-04", {"data": FULL | {"attributes": {"name": [{"a-": 1}]}}}),
    ("MN-05", {"meta": {"a.b": 1}}),
    ("MN-06", {"meta": {"naïve": 1}}),
    ("MN-09", {"meta": {}, "my-ext:x": 1}),
    ("MN-10", {"meta": {}, "atomic:results": []}),
    ("ER-02", {"errors": [{}]}),
    ("ER-02", {"errors": [{"message": "x"}]}),
    ("ER-03", {"errors": [{"status": 200}]}),
    ("ER-08", {"errors": [{"detail": "x", "source": {}}]}),
]


@pytest.mark.parametrize(("row", "document"), BROKEN, ids=str)
def test_a_document_that_breaks_a_row_is_found_out(row, document):
    assert row in {row for row, _ in faults(document)}


def test_linkage_that_was_left_out_need_not_lead_to_what_is_included():
    assert faults({"data": FULL, "included": [OTHER]}, sparse=True) == []
