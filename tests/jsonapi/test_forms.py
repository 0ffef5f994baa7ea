"""Services of the host that take a document of no resource, or say what they take and answer."""

import openapi_spec_validator
import pytest
from cornice.service import Service
from marshmallow.validate import Length
from marshmallow_jsonapi import Schema, fields
from pyramid.security import NO_PERMISSION_REQUIRED

from tests.client import MEDIA_TYPE, Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.test_written_fields import INFORMATION
from tests.jsonapi.toy import make_toy
from users_service.jsonapi import Answer, Described, Error, JSONAPIError, description

pytestmark = toy_on_one_engine

RIDDLES = "/toy/riddles/answers"
TEXT = {"type": "string"}


class RiddleSchema(Schema):
    class Meta:
        type_ = "riddles"

    id = fields.String(dump_only=True)
    answer = fields.String(required=True, validate=Length(max=9), metadata={"examples": ["fire"]})
    secret = fields.String(load_only=True, metadata={"examples": ["sesame"]})
    points = fields.Integer(dump_only=True, required=True)


def solve(request) -> Answer:
    """Answer the riddle.

    Everyone may try.
    """
    values = request.validated["values"]
    attributes = {"answer": values["answer"], "points": len(values.get("secret", ""))}
    data = {"type": "riddles", "id": "1", "attributes": attributes}
    return Answer(document={"data": data}, status=202)


def refuse_strangers(request) -> None:
    if "X-Stranger" in request.headers:
        raise JSONAPIError(Error(code="not_found", detail="There is no riddle."))


def tell_time(request) -> dict:
    """Tell the time."""
    return {"time": "noon"}


def include(config) -> None:
    config.add_jsonapi_description(INFORMATION)
    config.set_jsonapi_security({"type": "http", "scheme": "bearer"})
    config.add_jsonapi_form(
        "/riddles/answers",
        RiddleSchema,
        solve,
        guard=refuse_strangers,
        status=202,
        shows=True,
        permissions=("riddles:solve",),
    )
    service = Service(name="time", path="/time", renderer="json")
    service.add_view("GET", tell_time, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)
    said = Described(
        answers={200: {"application/json": {"type": "object"}}, 418: {"text/plain": TEXT}},
        headers={418: ("Retry-After",)},
        body={"text/plain": TEXT},
        failures=frozenset({404}),
        permissions=(),
    )
    config.describe_jsonapi_methods("time", {"GET": said})


@pytest.fixture
def riddles(toy) -> Client:
    return Client(make_toy(toy.engine, include=include))


def answer(**attributes) -> dict:
    return {"data": {"type": "riddles", "attributes": attributes}}


def test_a_form_is_read_by_its_schema_and_answered(riddles):
    response = riddles.post(RIDDLES, answer(answer="fire", secret="sesame"))
    assert response.status_int == 202
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert response.json["data"]["attributes"] == {"answer": "fire", "points": 6}


def test_all_faults_of_a_form_are_told_at_once(riddles):
    sent = answer(answer="x" * 10, points=7, colour="red")
    sent["data"]["relationships"] = {"author": {"data": None}}
    response = riddles.post(RIDDLES, sent)
    assert response.status_int == 422
    assert sorted(sources(response)) == [
        ("/data/attributes/answer", "invalid_value"),
        ("/data/attributes/colour", "unknown_field"),
        ("/data/attributes/points", "read_only_field"),
        ("/data/relationships/author", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b'{"data": {"type": "articles"}}', {}, 409),
        (b'{"data": {"type": "riddles", "id": "1"}}', {}, 403),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Accept": "text/plain"}, 406),
    ],
)
def test_what_is_no_form_is_refused(riddles, body, headers, status):
    response = riddles.request("POST", RIDDLES, body=body, headers=headers)
    # Of one that has several faults, the kinds may differ.
    assert status in {int(error["status"]) for error in response.json["errors"]}


def test_parameters_are_refused(riddles):
    response = riddles.post(f"{RIDDLES}?include=x", answer(answer="fire"))
    assert sources(response) == [("include", "unsupported_parameter")]


def test_the_guard_comes_first(riddles):
    headers = {"X-Stranger": "1", "Content-Type": "text/plain", "Accept": "text/plain"}
    response = riddles.request("POST", RIDDLES, body=b"{", headers=headers)
    assert sources(response) == [("", "not_found")]


def test_options_names_what_a_form_is_sent_as(riddles):
    headers = riddles.request("OPTIONS", RIDDLES).headers
    assert (headers["Allow"], headers["Accept-Post"]) == ("OPTIONS, POST", MEDIA_TYPE)


def test_a_form_is_described_by_its_schema(riddles):
    described = description(riddles.app.registry)
    openapi_spec_validator.validate(described | {"servers": [{"url": "/"}]})
    operation = described["paths"][RIDDLES]["post"]
    assert operation["operationId"] == "riddles_answers"
    assert operation["summary"] == "Answer the riddle"
    assert operation["description"] == "Everyone may try."
    assert operation["security"] == [{"bearer": ["riddles:solve"]}]
    assert {"202", "400", "401", "406", "409", "413", "415", "422"} <= operation["responses"].keys()
    schemas = described["components"]["schemas"]
    sent = schemas["RiddlesDocument"]["properties"]["data"]["properties"]["attributes"]
    assert sent["properties"].keys() == {"answer", "secret"}
    assert sent["required"] == ["answer"]
    shown = schemas["RiddlesAnswer"]["properties"]["data"]["properties"]["attributes"]
    assert shown["properties"].keys() == {"answer", "points"}
    example = operation["requestBody"]["content"][MEDIA_TYPE]["example"]
    assert riddles.post(RIDDLES, example).status_int == 202


def test_a_service_is_described_as_the_host_says(riddles):
    operation = description(riddles.app.registry)["paths"]["/toy/time"]["get"]
    assert operation["responses"].keys() == {"200", "404", "418"}
    assert operation["responses"]["418"]["content"] == {"text/plain": {"schema": TEXT}}
    assert "Retry-After" in operation["responses"]["418"]["headers"]
    assert operation["requestBody"]["content"] == {"text/plain": {"schema": TEXT}}
    assert operation["security"] == [{"bearer": []}]
