"""The API's description, held against OpenAPI, and against rules for it and for JSON:API."""

import json
import os
import re
import urllib.request
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.clients.programs import node_packages, run, serving

LINT = Path(__file__).parent / "lint"
RULES = LINT / ".spectral.yaml"
PUBLIC_RULES = os.environ.get("SPECTRAL_RULESET")

MISSING: Any = object()

# Places in the description, a faulty value for each, and our rule that has to find it there.
FAULTS = {
    "paths /api/v1/users get responses 200 content application/json": ({}, "jsonapi-media-type"),
    "paths /api/v1/users patch requestBody content text/json": ({}, "jsonapi-media-type"),
    "components responses Forbidden content text/html": ({}, "jsonapi-media-type"),
    "paths /api/v1/users/{id}/role get responses 403": (MISSING, "jsonapi-refusals"),
    "paths /api/v1/users post responses 415": (MISSING, "jsonapi-refused-body"),
    "components schemas UsersDocument properties user": ({}, "jsonapi-document-members"),
    "components schemas RolesNewDocument properties role": ({}, "jsonapi-document-members"),
    "components schemas RolesPage required": (["links"], "jsonapi-document-content"),
    "components schemas UsersChangesDocument required": ([], "jsonapi-document-content"),
    "components schemas GroupsResource required": (["type"], "jsonapi-identification"),
    "components schemas RolesIdentifier required": (["id"], "jsonapi-identification"),
    "components schemas RolesChanges required": (["type"], "jsonapi-identification"),
    "components schemas GroupsNew required": (["attributes"], "jsonapi-new-resource"),
    "components schemas UsersResource properties name": ({}, "jsonapi-resource-members"),
    "components schemas UsersResourceAttributes properties id": ({}, "jsonapi-field-names"),
    "components schemas RolesNew properties attributes properties _a": ({}, "jsonapi-field-names"),
    "components schemas UsersResourceRelationships properties role required": (
        [],
        "jsonapi-relationship",
    ),
    "components schemas UsersResourceRelationships properties groups properties id": (
        {},
        "jsonapi-relationship",
    ),
    "components schemas UsersNew properties relationships properties role required": (
        ["links"],
        "jsonapi-sent-relationship",
    ),
    "components schemas LinkObject required": (["rel"], "jsonapi-link"),
    "components schemas RelationshipLinks properties self": ({"type": "object"}, "jsonapi-link"),
    "components schemas JsonapiObject properties name": ({}, "jsonapi-object"),
    "components parameters users.sort explode": (True, "jsonapi-list-parameters"),
    "components parameters users.fields style": ("spaceDelimited", "jsonapi-list-parameters"),
    "components parameters page.total name": ("total", "jsonapi-parameter-names"),
    "components schemas PageLinks properties last": (MISSING, "jsonapi-page-links"),
    "paths /api/v1/users/{id} delete responses 404": (MISSING, "jsonapi-missing-resource"),
    "paths /api/v1/roles/{id} put": ({}, "jsonapi-methods"),
    "paths /api/v1/groups/{id} delete responses 204": (MISSING, "jsonapi-success"),
    "paths /api/v1/groups post responses 203": ({}, "jsonapi-success"),
    "paths /api/v1/groups post responses 201 headers Location": (MISSING, "jsonapi-location"),
    "paths /api/v1/groups/{id} patch responses 409": (MISSING, "jsonapi-conflict"),
    "components schemas ErrorsDocument properties data": ({}, "jsonapi-errors-document"),
    "components schemas ErrorsDocument required": (["links"], "jsonapi-errors-document"),
    "components schemas Error properties trace": ({}, "jsonapi-error"),
    "components schemas Error properties source properties path": ({}, "jsonapi-error"),
}

# What public rules for JSON:API find, by rule and place, and why it stays as it is.
EXPECTED = [
    (
        r"info-contact info",
        "Whoever runs the service is whom to ask, and the service does not know who that is.",
    ),
    (
        r"(400-response-code|406-response-code|content-type) "
        r"paths /(livez|readyz|api/v1/openapi\.json|api/v1/docs\S*) .*",
        "Health checks, the description itself and its page are no documents of JSON:API: they "
        "take whatever is asked of them.",
    ),
    (
        r"error-processing components schemas ErrorsDocument properties errors",
        "Processing Errors lets a response of any status have several errors: 422 tells of all "
        "invalid values at once.",
    ),
    (
        r"links-object-schema components schemas PageLinks properties \w+ anyOf 1 type",
        "Pagination has null for a page that does not exist.",
    ),
    (
        r"(patch|post)-requests-single-object components schemas \w+ToManyDocument .*",
        "Updating To-Many Relationships has an array; one resource object is for resources.",
    ),
    (
        r"post-2xx-response-codes paths /api/v1/operations post responses",
        "Atomic Operations answers 200 with the results.",
    ),
    (
        r"(patch|post)-409-response components responses Conflict",
        "It finds every 409, which (patch|post)-409-response-code of the same rules requires.",
    ),
]


@pytest.fixture(scope="module")
def description(tmp_path_factory) -> dict:
    """The description as a service of development.ini gives it."""
    with serving(tmp_path_factory.mktemp("description")) as address:
        response = urllib.request.urlopen(f"{address}/api/v1/openapi.json", timeout=30)
        with response:
            return json.load(response)


@pytest.fixture
def lint(request, tmp_path):
    """Have spectral read a description by a set of rules, and return what it finds.

    A finding is its rule and the path of its place, with blanks between, and its message.
    """
    packages = node_packages(LINT, request.config) / "node_modules"

    def find(description: dict, rules: Path) -> dict[str, str]:
        (tmp_path / "openapi.json").write_text(json.dumps(description))
        command = [packages / ".bin" / "spectral", "lint", "openapi.json", "--ruleset", rules]
        ended = run([*command, "--format", "json", "--quiet"], tmp_path)
        assert ended.status in (0, 1), ended.complaint  # 1 if there are findings
        findings = json.loads(ended.printed)
        return {" ".join(map(str, (f["code"], *f["path"]))): f["message"] for f in findings}

    return find


def put(document: dict, place: str, value: Any) -> None:
    *names, last = place.split(" ")
    for name in names:
        document = document.setdefault(name, {})
    if value is MISSING:
        document.pop(last, None)
    else:
        document[last] = value


def concerns(finding: str, rule: str, place: str) -> bool:
    """Whether a finding is one of a rule, in a place or around it."""
    code, _, where = finding.partition(" ")
    return code == rule and f"{place} ".startswith(f"{where} ")


@pytest.mark.conformance("OB-01")
def test_the_description_is_valid_openapi(description):
    validate(description)


@pytest.mark.clients
def test_the_description_keeps_all_rules(description, lint):
    assert lint(description, RULES) == {}


@pytest.mark.clients
def test_each_of_our_rules_finds_what_it_is_for(description, lint):
    faulty = deepcopy(description)
    for place, (value, _) in FAULTS.items():
        put(faulty, place, value)
    findings = lint(faulty, RULES)
    assert [
        (rule, place)
        for place, (_, rule) in FAULTS.items()
        if not any(concerns(finding, rule, place) for finding in findings)
    ] == []
    ours = re.findall(r"^  (jsonapi-[a-z-]+):$", RULES.read_text(), re.MULTILINE)
    assert {rule for _, rule in FAULTS.values()} == set(ours)


@pytest.mark.clients
@pytest.mark.skipif(PUBLIC_RULES is None, reason="SPECTRAL_RULESET names no rules")
def test_public_rules_find_what_is_explained_and_nothing_else(description, lint):
    findings = lint(description, Path(PUBLIC_RULES))
    found = {
        finding: [pattern for pattern, _ in EXPECTED if re.fullmatch(pattern, finding)]
        for finding in findings
    }
    assert [finding for finding, patterns in found.items() if not patterns] == []
    assert {pattern for patterns in found.values() for pattern in patterns} == {
        pattern for pattern, _ in EXPECTED
    }
