"""A JSON:API client for tests: WebTest, with a check of every document that comes back."""

import json
import re
from collections.abc import Collection
from typing import Any

import webtest
from pyramid.interfaces import IRoutesMapper

from users_service.jsonapi.api import api_of

MEDIA_TYPE = "application/vnd.api+json"
OTHER_MEDIA_TYPES = {
    "application/json",
    "application/jwk-set+json",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
}
API = "/api/v1"
USERS = f"{API}/users"
# Their errors are those of OAuth.
OAUTH = {f"{API}/auth/introspect", f"{API}/auth/revoke"}


class Client:
    """Sends requests to a WSGI application; each answer is checked before a test sees it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.description = description_path(app)
        self.rules = api_of(app.registry).rules
        self._browser = webtest.TestApp(app, lint=True)

    def request(
        self,
        method: str,
        url: str,
        document: Any = None,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        environ: dict[str, Any] | None = None,
    ) -> webtest.TestResponse:
        """Send a request with a JSON document, or with any bytes as its body."""
        headers = {"Accept": MEDIA_TYPE} | (headers or {})
        if document is not None:
            body = json.dumps(document).encode()
        if body is not None:
            headers.setdefault("Content-Type", MEDIA_TYPE)
        request = webtest.TestRequest.blank(url, environ=environ, method=method)
        for name, value in headers.items():
            if value is not None:
                request.headers[name] = value
        if body is not None:
            request.body = body
        response = self._browser.do_request(request, expect_errors=True)
        check_response(response, self.description, self.rules)
        return response

    def get(self, url: str, **options: Any) -> webtest.TestResponse:
        return self.request("GET", url, **options)

    def post(self, url: str, document: Any = None, **options: Any) -> webtest.TestResponse:
        return self.request("POST", url, document, **options)

    def patch(self, url: str, document: Any = None, **options: Any) -> webtest.TestResponse:
        return self.request("PATCH", url, document, **options)

    def delete(self, url: str, document: Any = None, **options: Any) -> webtest.TestResponse:
        return self.request("DELETE", url, document, **options)

    def create_user(self, email: str = "ada@example.com", **attributes: Any) -> dict[str, Any]:
        """Create a user and return the resource object."""
        attributes = {"email": email, "name": "Ada"} | attributes
        response = self.post(USERS, user(**attributes))
        assert response.status_int == 201, response.text
        return response.json["data"]

    def emails(self) -> list[str]:
        """The addresses of all users, in order."""
        users = self.get(f"{USERS}?sort=email&page[size]=1000").json["data"]
        return [user["attributes"]["email"] for user in users]


def user(id: str | None = None, **attributes: Any) -> dict[str, Any]:
    """A document with one user in it."""
    data: dict[str, Any] = {"type": "users", "attributes": attributes}
    if id is not None:
        data["id"] = id
    return {"data": data}


def description_path(app: Any) -> str | None:
    """The path at which an application describes itself; None if it does not."""
    route = app.registry.getUtility(IRoutesMapper).get_route("jsonapi:openapi")
    return None if route is None else "/" + route.path.lstrip("/")


def check_response(
    response: webtest.TestResponse, description: str | None, rules: Collection[str]
) -> None:
    """Hold what is true of every response of the API, whatever the request was.

    :param description: the path of what every document has a link to; None if it is to have none.
    :param rules: those that fields can break.
    """
    assert response.headers["X-Request-ID"]
    assert response.headers["Cache-Control"]
    assert "Accept" in response.headers["Vary"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    path, status = response.request.environ["PATH_INFO"], response.status_int
    is_empty = path.startswith(f"{API}/auth/") and status == (200 if path in OAUTH else 202)
    is_empty &= path != f"{API}/auth/introspect"
    if response.status_int in (204, 303, 304) or response.request.method == "HEAD" or is_empty:
        assert response.body == b""
        return
    media_type = response.headers["Content-Type"].split(";")[0]
    if media_type in OTHER_MEDIA_TYPES and response.status_int == 200:
        return  # the endpoints that are no resources
    if response.request.environ["PATH_INFO"] in OAUTH and media_type == "application/json":
        assert json.loads(response.body).keys() == {"error", "error_description"}
        return
    assert media_type == MEDIA_TYPE
    document = json.loads(response.body)
    assert document["jsonapi"]["version"] == "1.1"
    members = {"jsonapi", "data", "errors", "links", "meta", "included", "atomic:results"}
    assert document.keys() <= members
    assert len(document.keys() & {"data", "errors", "atomic:results"}) <= 1
    url = None if description is None else response.request.application_url + description
    if any(error["code"] == "invalid_host" for error in document.get("errors", ())):
        url = None  # no link is made of a host that is refused
    assert document.get("links", {}).get("describedby") == url, response.text
    if "errors" in document:
        assert response.status_int >= 400
        check_errors(response, document["errors"], rules)
    else:
        assert response.status_int < 300


def check_errors(
    response: webtest.TestResponse, errors: list[dict[str, Any]], rules: Collection[str]
) -> None:
    assert errors
    assert not re.search(r"Traceback|SELECT|INSERT|UPDATE|sqlalchemy|\.py\b", response.text)
    members = {"id", "status", "code", "title", "detail", "source", "meta", "links"}
    for error in errors:
        assert error.keys() <= members
        assert error.keys() >= {"id", "status", "code", "title", "detail"}
        assert error["id"] == response.headers["X-Request-ID"]
        assert error["status"][0] == str(response.status_int)[0]
        if "attribute" in error.get("meta", {}):
            assert error["meta"].keys() - {"limit"} == {"attribute", "message", "rule"}
            assert error["meta"]["rule"] in rules
        if "pointer" in error.get("source", {}):
            assert_resolves(error["source"]["pointer"], response.request.body)
    if len({error["status"] for error in errors}) == 1:
        assert errors[0]["status"] == str(response.status_int)


def assert_resolves(pointer: str, body: bytes) -> None:
    """A pointer leads to something that is there (RFC 6901 §4)."""
    assert body
    if not pointer:
        return  # to the whole of it, which may be too deep to be parsed
    document = json.loads(body)
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        document = document[int(token)] if isinstance(document, list) else document[token]


def sources(response: webtest.TestResponse) -> list[tuple[str, str]]:
    """What the errors of a response point at, with their codes, in order."""
    return [
        (next(iter(error.get("source", {}).values()), ""), error["code"])
        for error in response.json["errors"]
    ]
