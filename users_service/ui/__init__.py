"""The browser UI: the page at `/ui/` and every path below it, and its files; `/` leads there.

Python only sends what is in `static/`. Scripts make the UI there, of the API and its description.
"""

from html import escape
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPMethodNotAllowed, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.headers import UI
from users_service.jsonapi import MEDIA_TYPE, Copy, preferred
from users_service.ui.files import CONTENT_TYPES, files

# The title of the application, unless the setting `ui_title` has another.
TITLE = "users_service"

# The names of files change with what is in them, so they are kept for a year (RFC 8246 §2).
FOREVER = "public, max-age=31536000, immutable"

METHODS = ("GET", "HEAD", "OPTIONS")


def lead(request: Request) -> Response:
    """Lead browsers from `/` to the UI, and whoever does not prefer HTML to the API."""
    offers = (MEDIA_TYPE, "application/json", "text/html")
    likes_html = preferred(request.headers.get("Accept", ""), offers) == "text/html"
    has_ui = request.registry["settings"].ui
    return _redirect(request, f"{UI}/" if likes_html and has_ui else request.registry["api_prefix"])


def add_slash(request: Request) -> Response:
    """Lead from `/ui` to `/ui/`."""
    return _redirect(request, f"{UI}/")


def show_page(request: Request) -> Response:
    """Send the page, which is the same below `/ui/` everywhere. What has a dot is no page of it."""
    if "." in request.path_info.rpartition("/")[2]:
        raise HTTPNotFound
    page = Copy(_page(request).encode())
    return page.response(request, content_type="text/html", charset="utf-8")


def show_file(request: Request) -> Response:
    """Send a file of the page."""
    found = files()
    name = request.matchdict["name"]
    if request.matchdict["digest"] != found.digest or name not in found.copies:
        raise HTTPNotFound
    content_type = CONTENT_TYPES[name.rpartition(".")[2]]
    charset = "utf-8" if content_type.startswith("text/") else None
    response = found.copies[name].response(request, content_type=content_type, charset=charset)
    response.headers["Cache-Control"] = FOREVER
    return response


def list_methods(request: Request) -> Response:
    """Name the methods (RFC 9110 §9.3.7)."""
    return Response(status=204, content_type=None, headerlist=[("Allow", ", ".join(METHODS))])


def refuse_method(request: Request) -> Response:
    error = HTTPMethodNotAllowed()
    error.allow = METHODS
    raise error


def _redirect(request: Request, path: str) -> Response:
    """Return a redirect to a path of the service, below its prefix (RFC 9110 §15.4.4)."""
    location = request.application_url + path
    return Response(status=303, content_type=None, headerlist=[("Location", location)])


def _page(request: Request) -> str:
    """Return the page. Its URLs are paths, with the prefix that the service knows of."""
    settings = request.registry["settings"]
    found = files()
    prefix = urlsplit(request.application_url).path
    assets = f"{prefix}{UI}/assets/{found.digest}"
    texts = {
        "title": settings.ui_title or TITLE,
        "languages": " ".join(found.languages(settings.ui_languages)),
        "api": prefix + request.registry["api_prefix"],
        "ui": prefix + UI,
        "assets": assets,
    }
    return found.page.substitute({name: escape(text) for name, text in texts.items()})


def includeme(config: Configurator) -> None:
    routes = {"ui:root": ("/", lead)}
    if config.registry["settings"].ui:
        routes |= {
            "ui": (UI, add_slash),
            "ui:file": (f"{UI}/assets/{{digest}}/{{name:.+}}", show_file),
            "ui:page": (f"{UI}/*path", show_page),
        }
    for name, (pattern, show) in routes.items():
        config.add_route(name, pattern)
        for view, method in ((show, "GET"), (list_methods, "OPTIONS"), (refuse_method, None)):
            config.add_view(
                view, route_name=name, request_method=method, permission=NO_PERMISSION_REQUIRED
            )
