"""Outside of the API: two endpoints for operators, and errors as the API has them."""

import re

import pytest
import webtest
from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from pyramid.response import Response
from sqlalchemy.exc import OperationalError

from tests.client import MEDIA_TYPE, Client, sources

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
        ("GET", "/docs", 404, "not_found"),
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


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def ask(app, method: str, url: str, accept: str) -> webtest.TestResponse:
    browser = webtest.TestApp(app)
    return browser.request(url, method=method, headers={"Accept": accept}, expect_errors=True)


@pytest.mark.parametrize(
    ("method", "url", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not found"),
        ("GET", "/<script>alert(1)</script>", 404, "Not found"),
        ("GET", "/api/v10", 404, "Not found"),
        ("HEAD", "/nowhere", 404, "Not found"),
        ("POST", "/livez", 405, "Method not allowed"),
        ("GET", "/%ff", 400, "Bad request"),
        ("GET", "/forbid", 403, "Not permitted"),
        ("GET", "/crash", 500, "Internal error"),
    ],
)
def test_a_browser_gets_a_small_page(outside, method, url, status, title):
    response = ask(outside.app, method, url, BROWSER)
    assert (response.status_int, response.content_type) == (status, "text/html")
    headers = response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Vary"] == "Accept"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get("Allow") == ("GET, HEAD, OPTIONS" if status == 405 else None)
    if method == "HEAD":
        assert response.body == b""
        return
    assert f"<h1>{title}</h1>" in response.text
    page = response.text.replace(headers["X-Request-ID"], "its id")
    assert "<code>its id</code>" in page
    assert not re.search("script|href|src|1234", page)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("TEXT/*", True),
        ("text/html;", True),
        (",text/html;;charset=utf-8,", True),
        ("image/*;q=2, text/html", True),
        ("text/html, *;q=.2, */*;q=.2", True),
        ("application/vnd.api+json;q=0.5, text/html", True),
        ("*/*", False),
        ("", False),
        ("text/html, application/json", False),
        ("application/vnd.api+json, text/html;q=0.9", False),
        ("text/html;q=0, */*", False),
        ("image/png", False),
        ("text html", False),
    ],
)
def test_who_does_not_prefer_html_gets_an_errors_document(outside, accept, page):
    response = ask(outside.app, "GET", "/nowhere", accept)
    assert response.content_type == ("text/html" if page else MEDIA_TYPE)


def test_a_browser_gets_an_errors_document_in_the_api(outside):
    for url in ("/api/v1/nowhere", "/api/v1/users/nobody", "/api/v1/"):
        assert ask(outside.app, "GET", url, BROWSER).content_type == MEDIA_TYPE


def test_the_exception_views_of_a_host_answer_outside_of_the_api(app_with):
    class AbsentError(Exception):
        pass

    def answer(exception, request):
        return Response(type(exception).__name__, status=499)

    def raise_absent(request):
        raise AbsentError

    def include(config) -> None:
        config.add_route("absent", "/absent")
        config.add_view(raise_absent, route_name="absent")
        config.add_notfound_view(answer)
        config.add_exception_view(answer, context=AbsentError)

    app = app_with(include)
    assert ask(app, "GET", "/absent", BROWSER).text == "AbsentError"
    assert ask(app, "GET", "/nowhere", BROWSER).text == "HTTPNotFound"
    assert ask(app, "GET", "/api/v1/nowhere", BROWSER).content_type == MEDIA_TYPE


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
