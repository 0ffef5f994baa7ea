"""The page of the UI and its files over HTTP, and where `/` leads."""

import gzip
import re
from html.parser import HTMLParser

import pytest
from webob import Request, Response

from tests.client import API, MEDIA_TYPE, Client
from tests.engines import on_one_engine
from users_service.ui.files import CONTENT_TYPES, STATIC, files

pytestmark = on_one_engine

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PREFIX = {"SCRIPT_NAME": "/some/prefix"}
KIB = 1024
LANGUAGES = ("en", "de", "es", "fr", "it", "zh-Hans", "fa", "ur")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Elements without an end tag.
VOID = {"link", "meta"}


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.doctypes: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.title = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_decl(self, decl):
        assert self.elements == []
        self.doctypes.append(decl)

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["title"]:
            self.title += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [a for t, a in self.elements if t == tag and wanted.items() <= a.items()]

    def meta(self, name: str) -> str:
        (found,) = self.all("meta", name=name)
        return found["content"]

    @property
    def urls(self) -> list[str]:
        """What the page loads."""
        links = [attributes["href"] for attributes in self.all("link")]
        return links + [attributes["src"] for attributes in self.all("script")]


def page_of(client: Client, url: str = "/ui/", **options) -> Page:
    return Page(client.get(url, headers=BROWSER, **options).text)


@pytest.fixture
def assets(client) -> str:
    return page_of(client).meta("assets")


def names() -> list[str]:
    """The names of all files that are sent: scripts and style sheets are joined."""
    found = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    others = [name for name in found if not name.endswith((".css", ".js", ".html"))]
    return sorted([*others, "app.css", "app.js"])


def send(client: Client, url: str, method: str = "GET", **headers: str) -> Response:
    """What is sent, which WebTest would decode."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request.blank(url, method=method, headers=fields).get_response(client.app)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "users",
        "users/new",
        "users/0190b5a0",
        "account",
        "sign-in",
        "a.b/c",
        "a/b/c/d/e",
        "%C3%BC/",
    ],
)
@pytest.mark.parametrize("query", ["", "?filter[name]=a.b&sort=-x"])
def test_the_page_is_at_every_path_without_a_dot_in_its_last_segment(client, path, query):
    response = client.get(f"/ui/{path}{query}", headers=BROWSER)
    assert response.status_int == 200
    assert response.content_type == "text/html"
    assert response.text == client.get("/ui/", headers=BROWSER).text
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["favicon.ico", "users/a.b", "assets/x.js", "page.html", ".", "a%2Eb", "a%0Ab.c"]
)
def test_other_paths_are_not_found(client, path):
    assert client.get(f"/ui/{path}").status_int == 404


def test_the_page_says_where_everything_is(client):
    page = page_of(client, "/ui/users/new")
    assert page.doctypes == ["DOCTYPE html"]
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("meta", charset="utf-8")
    assert page.meta("viewport") == "width=device-width, initial-scale=1"
    assert page.meta("color-scheme") == "light dark"
    assert page.meta("api") == API
    assert page.meta("ui") == "/ui"
    assert re.fullmatch("/ui/assets/[0-9a-f]{24}", page.meta("assets"))
    assert page.title == page.meta("application-title") == "users_service"
    assert "noscript" in [tag for tag, _ in page.elements]
    assert [link["href"] for link in page.all("a")] == [f"{API}/docs"]


def test_the_page_loads_one_style_sheet_and_one_module(client, assets):
    page = page_of(client)
    linked = [link["href"] for link in page.all("link", rel="stylesheet")]
    assert linked == [f"{assets}/app.css"]
    assert page.all("script") == [{"type": "module", "src": f"{assets}/app.js"}]
    assert [link["href"] for link in page.all("link", rel="icon")] == [f"{assets}/icon.svg"]


def test_the_policy_would_block_nothing_of_the_page(client):
    page = page_of(client)
    assert page.all("style") == page.all("base") == page.all("form") == []
    found = {name for _, attributes in page.elements for name in attributes}
    assert [name for name in found if name == "style" or name.startswith("on")] == []


def test_every_file_is_sent_and_kept_for_a_year(client, assets):
    for name in names():
        response = client.get(f"{assets}/{name}", headers={"Accept": "*/*"})
        assert response.status_int == 200
        assert response.body == files().copies[name].body
        media_type = CONTENT_TYPES[name.rpartition(".")[2]]
        assert response.content_type == media_type
        assert response.charset == ("utf-8" if media_type.startswith("text/") else None)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Accept-Encoding" in response.headers["Vary"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_and_all_files_with_one_language_are_small(client, assets, language):
    others = {f"lang/{other}.json" for other in LANGUAGES} - {f"lang/{language}.json"}
    loaded = [name for name in names() if name not in others]
    assert f"lang/{language}.json" in loaded
    urls = ["/ui/", *(f"{assets}/{name}" for name in loaded)]
    plain = [send(client, url) for url in urls]
    compressed = [send(client, url, Accept_Encoding="gzip") for url in urls]
    assert {answer.status_int for answer in plain + compressed} == {200}
    assert {answer.headers["Content-Encoding"] for answer in compressed} == {"gzip"}
    assert sum(len(answer.body) for answer in plain) < 158 * KIB
    assert sum(len(answer.body) for answer in compressed) < 49 * KIB


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        (None, None),
        ("gzip, deflate, br, zstd", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("*;q=0", None),
        ("br", None),
    ],
)
@pytest.mark.parametrize("name", ["", "/app.js", "/icon.svg", "/lang/en.json"])
def test_files_and_the_page_are_compressed_for_those_who_ask(
    client, assets, name, coding, expected
):
    url = f"{assets}{name}" if name else "/ui/"
    plain = send(client, url)
    answer = send(client, url, Accept_Encoding=coding) if coding else send(client, url)
    assert answer.headers.get("Content-Encoding") == expected
    body = gzip.decompress(answer.body) if expected else answer.body
    assert body == plain.body
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert (answer.headers["ETag"] == plain.headers["ETag"]) is (expected is None)


@pytest.mark.parametrize("name", ["", "/app.js"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_what_a_browser_has_is_not_sent_again(client, assets, name, coding):
    url = f"{assets}{name}" if name else "/ui/"
    first = send(client, url, Accept_Encoding=coding)
    tag = first.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]+"', tag)
    again = send(client, url, Accept_Encoding=coding, If_None_Match=tag)
    assert (again.status_int, again.body) == (304, b"")
    for field in ("Cache-Control", "Content-Security-Policy", "ETag", "Vary"):
        assert again.headers[field] == first.headers[field]
    assert send(client, url, Accept_Encoding=coding, If_None_Match='"other"').status_int == 200


@pytest.mark.parametrize(
    "url",
    [
        "{assets}/nothing.js",
        "{assets}/page.html",
        "{assets}/core",
        "{assets}/../page.html",
        "{assets}/style/../app.js",
        "{assets}/style%2Fbase.css",
        "{assets}/app.js/",
        "{assets}//app.js",
        "{assets}/APP.js",
        "{assets}/%00.js",
        "{assets}/__init__.py",
        "/ui/assets/000000000000000000000000/app.js",
        "/ui/assets/x/app.js",
        "/ui/assets//app.js",
        "/ui/app.js",
    ],
)
def test_another_digest_or_name_is_not_found(client, assets, url):
    assert client.get(f"{assets}/app.js").status_int == 200
    response = client.get(url.format(assets=assets), environ={"REQUEST_URI": url})
    assert response.status_int == 404
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["/", "/ui", "/ui/", "/ui/users", "{assets}/app.js"])
def test_there_are_no_other_methods(client, assets, name):
    url = name.format(assets=assets)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = client.request(method, url)
        assert refused.status_int == 405
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    options = client.request("OPTIONS", url)
    assert (options.status_int, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    answer, head = (send(client, url, method) for method in ("GET", "HEAD"))
    assert (head.status_int, head.body) == (answer.status_int, b"")
    for field in ("Cache-Control", "Content-Length", "Content-Type", "ETag", "Location"):
        assert head.headers.get(field) == answer.headers.get(field)


@pytest.mark.parametrize(
    ("method", "url", "status", "headers"),
    [
        ("GET", "/ui/", 200, {}),
        ("GET", "/ui/users/new", 200, BROWSER),
        ("HEAD", "/ui/", 200, {}),
        ("OPTIONS", "/ui/", 204, {}),
        ("GET", "/ui", 303, {}),
        ("GET", "{assets}/app.js", 200, {}),
        ("GET", "{assets}/none.js", 404, {}),
        ("GET", "/ui/none.js", 404, BROWSER),
        ("POST", "/ui/", 405, {}),
        ("DELETE", "{assets}/app.js", 405, BROWSER),
        ("GET", "/ui/%ff", 400, {}),
        ("GET", "/ui/", 400, {"Host": "a b"}),
    ],
)
def test_every_answer_has_the_policy(client, assets, method, url, status, headers):
    sent = Request.blank(url.format(assets=assets), method=method, headers=headers)
    response = sent.get_response(client.app)
    assert response.status_int == status
    assert response.headers.getall("Content-Security-Policy") == [POLICY]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    features = response.headers["Permissions-Policy"].split(", ")
    assert {"camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"} <= set(features)
    assert all(re.fullmatch(r"[a-z-]+=\(\)", feature) for feature in features)


def test_a_failure_has_the_policy_too(app_with):
    def fail(request):
        raise RuntimeError

    def include(config) -> None:
        config.add_route("fail", "/ui/fail")
        config.add_view(fail, route_name="fail")

    response = send(Client(app_with(include, ui="false")), "/ui/fail", **BROWSER)
    assert response.status_int == 500
    assert response.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("url", ["/uix", "/livez", f"{API}/docs", "/nowhere"])
def test_others_keep_their_own_policy(client, url):
    assert send(client, url, **BROWSER).headers.get("Content-Security-Policy") != POLICY


def test_all_urls_carry_the_prefix(client):
    page = page_of(client, environ=PREFIX)
    assert page.meta("api") == f"/some/prefix{API}"
    assert page.meta("ui") == "/some/prefix/ui"
    assert page.meta("assets").startswith("/some/prefix/ui/assets/")
    urls = page.urls + [link["href"] for link in page.all("a")]
    assert [url for url in urls if not url.startswith("/some/prefix/")] == []
    for url in page.urls:
        file = client.get(url.removeprefix("/some/prefix"), environ=PREFIX)
        assert file.status_int == 200


def test_a_prefix_is_part_of_no_element(client):
    page = page_of(client, environ={"SCRIPT_NAME": '/"><script>&\xc3\xbc'})
    assert page.meta("ui") == "/%22%3E%3Cscript%3E&%C3%BC/ui"
    assert len(page.all("script")) == 1


@pytest.mark.parametrize("environ", [{}, PREFIX])
def test_without_its_slash_the_page_is_elsewhere(client, environ):
    response = client.get("/ui", headers=BROWSER, environ=environ)
    assert response.status_int == 303
    prefix = environ.get("SCRIPT_NAME", "")
    assert response.headers["Location"] == f"http://localhost{prefix}/ui/"


@pytest.mark.parametrize("environ", [{}, PREFIX])
@pytest.mark.parametrize(
    ("accept", "ui", "leads_to"),
    [
        (BROWSER["Accept"], "true", "/ui/"),
        (BROWSER["Accept"], "false", API),
        ("text/html;q=0, */*", "true", API),
        ("*/*", "true", API),
        ("", "true", API),
        (MEDIA_TYPE, "true", API),
        (f"{MEDIA_TYPE}, text/html;q=0.1", "true", API),
    ],
)
def test_the_root_leads_browsers_to_the_page_and_others_to_the_api(
    app_with, environ, accept, ui, leads_to
):
    client = Client(app_with(ui=ui))
    response = client.get("/", headers={"Accept": accept}, environ=environ)
    assert response.status_int == 303
    prefix = environ.get("SCRIPT_NAME", "")
    assert response.headers["Location"] == f"http://localhost{prefix}{leads_to}"
    assert response.headers["Vary"] == "Accept"


def test_where_the_ui_is_off_there_is_nothing(client, assets, app_with):
    urls = ["/ui", "/ui/", "/ui/users", *page_of(client).urls]
    off = Client(app_with(ui="false"))
    for url in urls:
        assert client.get(url).status_int in (200, 303)
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            assert off.request(method, url).status_int == 404
    assert off.get(API).status_int == 200


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("", "users_service"),
        ('R&D "users" <script>', 'R&D "users" <script>'),
        ("$title {api} %s", "$title {api} %s"),
        ("کاربران", "کاربران"),
    ],
)
def test_the_title_is_that_of_the_setting(app_with, given, title):
    page = page_of(Client(app_with(ui_title=given)))
    assert page.title == page.meta("application-title") == title
    assert len(page.all("script")) == 1


@pytest.mark.parametrize("given", ["", "de en", "en"])
def test_the_page_offers_the_languages_of_the_setting_that_have_texts(app_with, given):
    offered = page_of(Client(app_with(ui_languages=given))).meta("languages").split()
    wanted = given.split() or LANGUAGES
    assert offered == [name for name in wanted if f"lang/{name}.json" in names()] != []


def test_the_page_is_no_part_of_the_api(client):
    paths = client.get(f"{API}/openapi.json").json["paths"]
    assert [path for path in paths if not path.startswith((f"{API}", "/livez", "/readyz"))] == [
        "/.well-known/jwks.json"
    ]
