"""The API's description of itself, and the page to read it and to try it on."""

import hashlib
from html import escape
from importlib.metadata import distribution, version
from pathlib import Path
from string import Template
from typing import Any

from cornice.service import Service
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.jsonapi import Information, description, list_methods
from users_service.settings import Settings

INFORMATION = Information(
    title="users_service",
    version=version("users_service"),
    summary="Users, roles and groups over JSON:API 1.1.",
    description=(
        "Every document is one of [JSON:API 1.1](https://jsonapi.org/format/1.1/). `HEAD` goes "
        "where `GET` goes, `OPTIONS` names the methods of a URL, and every URL of a resource is "
        "also served with `.json` appended."
    ),
    license={"name": "MIT", "identifier": "MIT"},
)

PAGES = Path(__file__).parent
# The package is found and never imported: that would load nine megabytes of other pages.
SWAGGER_UI = Path(str(distribution("offapi").locate_file("offapi")))

# What the page loads, by its name below the page's URL.
FILES = {
    "page.css": PAGES / "page.css",
    "page.js": PAGES / "page.js",
    "swagger-ui.css": SWAGGER_UI / "swagger_style.css",
    "swagger-ui.js": SWAGGER_UI / "swagger_bundle.js",
}
CONTENT_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}

# Swagger UI needs no more than its script, its style sheet with the pictures inside of it (data:),
# and the requests to the service. React sets styles as properties, which are no inline styles.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def show_page(request: Request) -> Response:
    """Read the description of the API, and try it: a page for browsers."""
    page = Template((PAGES / "docs.html").read_text(encoding="utf-8"))
    response = _response(page.substitute(title=escape(INFORMATION.title)).encode(), ".html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def show_file(request: Request) -> Response:
    """Load a script or a style sheet of the page."""
    path = FILES.get(request.matchdict["name"])
    if path is None:
        raise HTTPNotFound
    response = _response(path.read_bytes(), path.suffix)
    # Names stay the same from one version to the next: an hour, and then a 304.
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _response(body: bytes, suffix: str) -> Response:
    """A file, whose entity tag lets a client keep it (RFC 9110 §8.8.3)."""
    response = Response(body, content_type=CONTENT_TYPES[suffix], charset="utf-8")
    response.etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return response


def describe(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document of the API, with servers relative to where it is put."""
    config = Configurator()
    config.registry["settings"] = settings
    config.include("users_service")
    config.commit()
    return description(config.registry) | {"servers": [{"url": "/"}]}


def includeme(config: Configurator) -> None:
    config.add_jsonapi_description(INFORMATION)
    for name, path, view in (
        ("docs", "/docs", show_page),
        ("docs:file", "/docs/{name}", show_file),
    ):
        service = Service(name=name, path=path)
        service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
        service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
