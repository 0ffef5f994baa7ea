"""What browsers and caches are told: CORS for the origins of the setting, HSTS, and no-store."""

import pytest

from tests.auth.world import World, as_holder
from tests.client import API, USERS, Client, user
from tests.engines import on_one_engine

pytestmark = on_one_engine

PAGE = "https://app.example.com"
OTHERS = [
    "https://evil.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://APP.example.com",
    "null",
    "*",
    f"{PAGE}, https://evil.example.com",
]
EXPOSED = {"ETag", "Location", "Retry-After", "X-Request-ID"}


@pytest.fixture
def shared(app_with) -> Client:
    """A client of the service with two origins that may read."""
    return Client(app_with(cors_origins=f"{PAGE} http://localhost:3000"))


def varies_by_origin(response) -> bool:
    return "Origin" in response.headers["Vary"].split(", ")


def grants(response) -> list[str]:
    return [name for name in response.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", USERS, 200),
        ("GET", f"{USERS}/none", 404),
        ("GET", "/nowhere", 404),
        ("GET", f"{USERS}?page[size]=x", 400),
        ("POST", USERS, 400),
        ("PUT", USERS, 405),
        ("GET", "/livez", 200),
        ("GET", f"{API}/docs", 200),
        ("OPTIONS", USERS, 204),
    ],
)
def test_pages_of_the_origins_may_read_answers_and_errors(shared, method, url, status):
    response = shared.request(method, url, headers={"Origin": PAGE})
    assert response.status_int == status
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert set(response.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert varies_by_origin(response)


@pytest.mark.parametrize("origin", [None, *OTHERS])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.asvs("3.4.2")
def test_others_get_nothing_but_vary(shared, method, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    response = shared.request(method, USERS, headers=asked)
    assert response.status_int in (200, 204)
    assert grants(response) == []
    assert varies_by_origin(response)


def test_each_origin_is_told_its_own_name(shared):
    response = shared.get(USERS, headers={"Origin": "http://localhost:3000"})
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_an_answer_that_is_known_may_be_read_too(shared):
    tag = shared.get(USERS, headers={"Origin": PAGE}).headers["ETag"]
    response = shared.get(USERS, headers={"Origin": PAGE, "If-None-Match": tag})
    assert response.status_int == 304
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert varies_by_origin(response)


def test_by_default_no_origin_is_known(client):
    response = client.get(USERS, headers={"Origin": PAGE})
    assert (grants(response), varies_by_origin(response)) == ([], False)


@pytest.mark.parametrize(
    ("url", "methods"),
    [
        (USERS, {"GET", "HEAD", "OPTIONS", "POST"}),
        (f"{USERS}/x/relationships/groups", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"}),
        (f"{API}/operations", {"OPTIONS", "POST"}),
    ],
)
def test_a_preflight_names_what_the_url_allows(shared, url, methods):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH"}
    headers = shared.request("OPTIONS", url, headers=asked).headers
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert set(headers["Access-Control-Allow-Methods"].split(", ")) == methods
    allowed = {name.lower() for name in headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed == {
        *("accept", "authorization", "content-type", "idempotency-key", "if-match"),
        *("if-none-match", "traceparent", "x-request-id"),
    }
    assert 0 < int(headers["Access-Control-Max-Age"]) <= 86_400
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_of_what_is_not_there_allows_nothing(shared):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    response = shared.request("OPTIONS", f"{API}/nowhere", headers=asked)
    assert response.status_int == 404
    assert "Access-Control-Allow-Methods" not in response.headers


def test_options_without_a_preflight_stays_as_it_is(shared):
    headers = shared.request("OPTIONS", USERS, headers={"Origin": PAGE}).headers
    assert "Access-Control-Allow-Methods" not in headers
    assert "POST" in headers["Allow"]


def test_a_page_may_send_a_token_but_no_cookie(service, app_with):
    world = World(service, app_with(anonymous_permissions="", cors_origins=PAGE))
    cross = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    with_token = world.client("reader").get(USERS, headers=cross)
    assert with_token.status_int == 200
    assert with_token.headers["Access-Control-Allow-Origin"] == PAGE
    cookie = {"Cookie": f"users_service={world.tokens['reader']}"} | cross
    cookie["X-Requested-With"] = "users_service"
    response = world.client(None).get(USERS, headers=cookie)
    assert response.status_int == 401
    assert response.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("url", [USERS, "/livez", "/nowhere", f"{API}/docs"])
@pytest.mark.asvs("3.4.1")
def test_https_is_to_stay(client, url):
    by_https = client.get(url, environ={"wsgi.url_scheme": "https"})
    age = by_https.headers["Strict-Transport-Security"].removeprefix("max-age=")
    assert int(age) >= 31_536_000
    assert "Strict-Transport-Security" not in client.get(url).headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/tokens"), ("GET", "/tokens.json"), ("POST", "/tokens"), ("GET", "/auth/nowhere")],
)
def test_nothing_about_tokens_is_stored(client, method, path):
    response = client.request(method, f"{API}{path}")
    assert response.headers["Cache-Control"] == "no-store"


def test_what_a_token_shows_is_not_stored(permitted):
    response = permitted("users:read").get(USERS)
    assert response.headers["Cache-Control"] == "no-store"
    assert {"Authorization", "Cookie"} <= set(response.headers["Vary"].split(", "))


def test_a_change_by_a_page_is_answered_with_what_it_may_read(shared):
    response = shared.post(USERS, user(email="a@example.com", name="A"), headers={"Origin": PAGE})
    assert response.status_int == 201
    assert response.headers["Location"]
    assert response.headers["Access-Control-Allow-Origin"] == PAGE


def test_a_bad_token_is_an_error_that_a_page_may_read(shared):
    holder = as_holder("ust_bad", shared.app)
    response = holder.get(USERS, headers={"Origin": PAGE})
    assert response.status_int == 401
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
