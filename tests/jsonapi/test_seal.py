"""The seal: below the API's prefix every answer is JSON:API, outside of it the host answers."""

import pytest
import webtest
from marshmallow.validate import Range
from marshmallow_jsonapi import Schema, fields
from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPConflict, HTTPServiceUnavailable
from pyramid.testing import DummyRequest
from sqlalchemy import create_engine
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from tests.client import MEDIA_TYPE
from tests.jsonapi.toy import OUTCOMES, RULES, AllowEverything, Tag, make_toy, resources
from users_service.jsonapi import Error, Information, JSONAPIError, error_of
from users_service.jsonapi.api import Api, api_of

PREFIX = "/toy"


@pytest.fixture
def browser() -> webtest.TestApp:
    return webtest.TestApp(make_toy(create_engine("sqlite://")))


def answer(browser: webtest.TestApp, url: str, method: str = "GET") -> tuple[int, str]:
    """The status and the media type of an answer."""
    response = browser.request(url, method=method, expect_errors=True)
    return response.status_int, response.content_type


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/toy/", 404),
        ("GET", "/toy/nowhere", 404),
        ("GET", "/toy/articles/", 404),
        ("GET", "/toy/%ff", 400),
        ("POST", "/toy/%C0%AF", 400),
        ("GET", "/toy/articles?nope=1", 400),
        ("PUT", "/toy", 405),
        ("PUT", "/toy/articles", 405),
        ("GET", f"{OUTCOMES}/be_missing", 404),
        ("GET", f"{OUTCOMES}/be_forbidden", 403),
        ("GET", f"{OUTCOMES}/crash", 500),
        ("GET", f"{OUTCOMES}/crash_in_pyramid", 500),
    ],
)
def test_an_error_below_the_prefix_is_a_document(browser, method, url, status):
    assert answer(browser, url, method) == (status, MEDIA_TYPE)


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/nowhere", 404),
        ("GET", "/toys", 404),
        ("GET", "/toy.json", 404),
        ("GET", "//toy/articles", 404),
        ("GET", "/TOY/articles", 404),
        ("GET", "/%ff", 500),
        ("GET", "/%ff/toy", 500),
        ("GET", "/crash", 500),
        ("GET", "/be_missing", 404),
        ("GET", "/be_forbidden", 404),
    ],
)
def test_an_error_outside_of_the_prefix_is_the_host_s(browser, method, url, status):
    assert answer(browser, url, method) == (status, "text/plain")


def bare_host(**include) -> webtest.TestApp:
    """A host without views for exceptions."""
    config = Configurator()
    config.set_security_policy(AllowEverything())
    config.include("users_service.jsonapi")
    config.include(resources(RULES), **include)
    config.add_route("crash", "/crash")
    config.add_view(lambda request: 1 / 0, route_name="crash")
    return webtest.TestApp(config.make_wsgi_app())


def test_what_no_view_of_the_host_answers_is_left_to_its_server():
    browser = bare_host(route_prefix=PREFIX)
    assert answer(browser, "/toy/nowhere") == (404, MEDIA_TYPE)
    assert answer(browser, "/nowhere") == (404, "text/plain")  # by Pyramid's own view
    with pytest.raises(ZeroDivisionError):
        browser.get("/crash")


def test_without_a_prefix_all_of_the_application_is_the_api_s():
    browser = bare_host()
    assert answer(browser, "/nowhere") == (404, MEDIA_TYPE)
    assert answer(browser, "/crash") == (500, MEDIA_TYPE)


@pytest.mark.parametrize(
    ("route_prefix", "below", "outside"),
    [
        ("api", ["/api", "/api/", "/api/x"], ["", "/", "/apix", "/api.json", "/x/api", "//api"]),
        ("/api/v1/", ["/api/v1", "/api/v1/x"], ["/api", "/api/v2", "/api/v11", "/v1"]),
        (None, ["", "/", "/x"], []),
        ("/", ["", "/", "/x"], []),
    ],
)
def test_a_path_is_below_a_prefix_by_whole_segments(route_prefix, below, outside):
    api = Api()
    api.add_prefix(route_prefix)
    assert [path for path in (*below, *outside) if api.covers(path)] == below


class LabelSchema(Schema):
    class Meta:
        type_ = "labels"

    id = fields.Integer(dump_only=True, validate=Range(1, 2**31 - 1))
    label = fields.String()


INFORMATION = Information(title="", version="", summary="", description="", license={})


@pytest.mark.parametrize(
    ("directive", "arguments"),
    [
        ("add_jsonapi_resource", (Tag, LabelSchema)),
        ("add_jsonapi_entry", ()),
        ("add_jsonapi_description", (INFORMATION,)),
    ],
)
def test_each_directive_adds_its_prefix(directive, arguments):
    def include(config: Configurator) -> None:
        getattr(config, directive)(*arguments)

    config = Configurator()
    config.include("users_service.jsonapi")
    config.include(include, route_prefix="api")
    config.commit()
    assert api_of(config.registry).prefixes == {"/api"}


# What a host's own view makes of exceptions

GIVEN = JSONAPIError(Error(code="conflict", detail="Changed its mind."))


@pytest.mark.parametrize(
    ("exception", "status", "headers"),
    [
        (GIVEN, 409, {}),
        (HTTPConflict("behind the mirror"), 409, {}),
        (HTTPServiceUnavailable(headers={"Retry-After": "7"}), 503, {"Retry-After": "7"}),
        (URLDecodeError("utf-8", b"\xff", 0, 1, "1234"), 400, {}),
        (IntegrityError("SELECT 1234", {}, Exception("1234")), 500, {}),
        (DataError("SELECT 1234", {}, Exception("1234")), 400, {}),
        (OperationalError("SELECT 1234", {}, Exception("1234")), 503, {"Retry-After": "1"}),
        (InterfaceError("SELECT 1234", {}, Exception("1234")), 503, {"Retry-After": "1"}),
        (PoolTimeoutError("1234"), 503, {"Retry-After": "1"}),
        (StaleDataError("1234"), 503, {"Retry-After": "1"}),
        (RuntimeError("1234"), 500, {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_has_an_error(exception, status, headers):
    error = error_of(exception, DummyRequest(request_id="find-me"))
    assert (error.status, error.headers) == (status, headers)
    assert "1234" not in str(error)
    assert "mirror" not in str(error)


def test_an_error_is_what_it_was_raised_with():
    assert error_of(GIVEN, DummyRequest()) is GIVEN
