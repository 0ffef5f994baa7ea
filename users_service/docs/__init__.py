"""The OpenAPI document of the service, and the page with Swagger UI to read it and to try it."""

import hashlib
from html import escape
from importlib.metadata import distribution, version
from pathlib import Path
from string import Template
from typing import Any

from cornice.service import Service
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.registry import Registry
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
        "Documents follow [JSON:API 1.1](https://jsonapi.org/format/1.1/). `HEAD` works wherever "
        "`GET` does, `OPTIONS` lists the methods of a URL, and every URL of a resource also works "
        "with `.json` at its end."
    ),
    license={"name": "MIT", "identifier": "MIT"},
)

PAGES = Path(__file__).parent
# The package is located but not imported: an import would load nine megabytes of other pages.
SWAGGER_UI = Path(str(distribution("offapi").locate_file("offapi")))

# The files that the page loads, by their names below the page's URL.
FILES = {
    "page.css": PAGES / "page.css",
    "page.js": PAGES / "page.js",
    "swagger-ui.css": SWAGGER_UI / "swagger_style.css",
    "swagger-ui.js": SWAGGER_UI / "swagger_bundle.js",
}
CONTENT_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}

# Swagger UI needs only its script, its style sheet with images in data: URLs, and requests to the
# service. React sets styles as DOM properties, which this policy does not count as inline styles.
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
    """Fetch the page with Swagger UI, to read the description of the API and to try it."""
    page = Template((PAGES / "docs.html").read_text(encoding="utf-8"))
    response = _response(page.substitute(title=escape(INFORMATION.title)).encode(), ".html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def show_file(request: Request) -> Response:
    """Fetch a script or a style sheet of the page."""
    path = FILES.get(request.matchdict["name"])
    if path is None:
        raise HTTPNotFound
    response = _response(path.read_bytes(), path.suffix)
    # Names do not change with the version: clients keep a file for an hour, and then revalidate it.
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _response(body: bytes, suffix: str) -> Response:
    """Return the response with a file, with an entity tag (RFC 9110 §8.8.3)."""
    response = Response(body, content_type=CONTENT_TYPES[suffix], charset="utf-8")
    response.etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return response


def describe(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document. Its server URL is relative to the URL of the document."""
    return description(declare(settings)) | {"servers": [{"url": "/"}]}


def declare(settings: Settings) -> Registry:
    """Return the registry of the service as its modules declare it, without a database."""
    config = Configurator()
    config.registry["settings"] = settings
    config.include("users_service")
    config.commit()
    return config.registry


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
