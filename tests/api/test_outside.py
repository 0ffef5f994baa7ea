"""Outside of the API: two endpoints for operators, and errors as the API has them."""

import pytest
import webtest
from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from sqlalchemy.exc import OperationalError

from tests.client import Client, sources

# None of it depends on the engine.
pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)


@pytest.fixture
def outside(app_with) -> Client:
    """A client of the service with more views outside of the API, each of which raises."""

    def include(config) -> None:
        raised = {
            "crash": RuntimeError("the safe opens with 1234"),
            "forbid": HTTPForbidden("the safe opens with 1234"),
            "move": HTTPSeeOther("/livez"),
        }
        for name, exception in raised.items():

            def view(request, exception=exception):
                raise exception

            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name)

    return Client(app_with(include))


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("DELETE", "/nowhere", 404, "not_found"),
        ("GET", "/api/v2", 404, "not_found"),
        ("GET", "/%ff", 400, "bad_request"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("GET", "/forbid", 403, "forbidden"),
        ("GET", "/crash", 500, "internal_error"),
    ],
)
def test_errors_are_documents_as_they_are_in_the_api(outside, method, url, status, code):
    response = outside.request(method, url)
    assert (response.status_int, sources(response)) == (status, [("", code)])
    assert "1234" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    if status == 405:
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_redirect_is_no_error(outside):
    response = webtest.TestApp(outside.app).get("/move", status=303)
    assert response.headers["Location"] == "http://localhost/livez"


def test_the_service_is_ready_while_the_database_answers(service, client, monkeypatch):
    assert client.get("/readyz").json == {"status": "ok"}

    def connect() -> None:
        raise OperationalError("SELECT 1", {}, Exception("no route to 10.0.0.1"))

    monkeypatch.setattr(service.app.registry["reading"], "connect", connect)
    response = client.get("/readyz")
    assert (response.status_int, sources(response)) == (503, [("", "unavailable")])
    assert response.headers["Retry-After"]
    assert "10.0.0.1" not in response.text
    assert client.get("/livez").json == {"status": "ok"}
