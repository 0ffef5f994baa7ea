"""Hosts and paths where the server below does not check them, as under any WSGI server."""

import json

import pytest
import webtest

from tests.client import API, MEDIA_TYPE, USERS

# None of it depends on the engine.
pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)


@pytest.fixture
def app(app_with):
    return app_with(allowed_hosts="api.example.com, *.example.org localhost:6543 [::1]")


def ask(app, path: str, **environ: str | None) -> tuple[int, dict]:
    """Send a request; a part of the environment that is None is left out."""
    request = webtest.TestRequest.blank(path)
    for name, value in environ.items():
        request.environ[name] = value
        if value is None:
            del request.environ[name]
    response = webtest.TestApp(app, lint=False).do_request(request, expect_errors=True)
    return response.status_int, json.loads(response.body) if response.body else {}


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("api.example.com", True),
        ("API.example.com.:8443", True),
        ("a.example.org", True),
        ("a.b.example.org:80", True),
        ("localhost:6543", True),
        ("[::1]:6543", True),
        ("[0:0::1]", True),
        ("localhost", False),
        ("localhost:6544", False),
        ("example.com", False),
        ("example.org", False),
        ("evilexample.org", False),
        ("xapi.example.com", False),
        ("api.example.com.evil.example", False),
        ("api.example.com@evil.example", False),
        ("*.example.org", False),
        ("[::2]", False),
        ("a b", False),
        ("", False),
        (None, False),
    ],
)
def test_a_host_is_allowed_by_name_or_by_the_name_above(app, host, is_allowed):
    status, document = ask(app, API, HTTP_HOST=host)
    assert status == (200 if is_allowed else 400)
    if not is_allowed:
        (error,) = document["errors"]
        assert (error["code"], error["source"]) == ("invalid_host", {"header": "Host"})
        assert "links" not in document


def test_without_the_setting_every_valid_host_is_allowed(service):
    for host in ("evil.example", "localhost:1", "[2001:db8::1]", "192.0.2.1:8080", "a_b-c"):
        status, document = ask(service.app, API, HTTP_HOST=host)
        assert (status, document["links"]["self"]) == (200, f"http://{host}{API}")
    assert ask(service.app, API, HTTP_HOST="a b")[0] == 400


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize(
    ("host", "protocol", "status"),
    [
        ("10.0.0.1:6543", "HTTP/1.1", 200),
        (None, "HTTP/1.0", 200),
        (None, "HTTP/1.1", 400),
        ("a b", "HTTP/1.0", 400),
    ],
)
def test_a_load_balancer_calls_a_process_by_its_address(app, path, host, protocol, status):
    assert ask(app, path, HTTP_HOST=host, SERVER_PROTOCOL=protocol)[0] == status


def test_no_link_is_made_of_a_host_that_is_not_allowed(app):
    environ = {"HTTP_HOST": "evil.example", "users_service.stopping": True}
    status, document = ask(app, "/readyz", **environ)
    assert (status, document["errors"][0]["code"]) == (503, "unavailable")
    assert "evil" not in json.dumps(document)


@pytest.mark.parametrize("name", ["REQUEST_URI", "RAW_URI"])
@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        (USERS, USERS, 200),
        (USERS, f"{USERS}?filter[name]=%2F", 200),
        (USERS, f"http://localhost{USERS}", 200),
        (USERS, "/api/v1%2Fusers", 404),
        (USERS, "http://localhost/api%2fv1/users?x=/", 404),
        (USERS, "//api/v1/users", 404),
        (f"{USERS}.json", f"{USERS}%2Ejson", 200),
    ],
)
def test_an_encoded_slash_is_kept_where_the_server_tells_of_it(service, name, path, sent, status):
    assert ask(service.app, path, **{name: sent})[0] == status


def test_an_encoded_slash_is_kept_below_a_mount_point(service):
    mounted = {"SCRIPT_NAME": "/mounted", "REQUEST_URI": f"/mounted{API}/users%2Fx"}
    assert ask(service.app, f"{API}/users/x", **mounted)[1]["errors"][0]["code"] == "not_found"
    mounted["REQUEST_URI"] = f"/mounted{USERS}"
    _, document = ask(service.app, USERS, **mounted)
    assert document["links"]["self"] == f"http://localhost/mounted{USERS}"


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("GET", 400), ("DELETE", 400)])
def test_the_asterisk_stands_for_the_server_in_options(service, method, status):
    request = webtest.TestRequest.blank("/", method=method)
    request.environ["PATH_INFO"] = "*"
    response = webtest.TestApp(service.app, lint=False).do_request(request, expect_errors=True)
    assert response.status_int == status
    if status == 204:
        assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST"
    else:
        assert response.content_type == MEDIA_TYPE
