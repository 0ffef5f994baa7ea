"""Failures anywhere in a host: errors documents, logged by the id that the response carries."""

import logging
import re

import pytest
import webtest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, OUTCOMES, Article


@pytest.fixture
def errors_logged(caplog):
    caplog.set_level(logging.DEBUG)
    return lambda: [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("view", ["crash", "crash_after_write", "crash_in_pyramid"])
def test_an_exception_says_nothing_but_the_id_of_the_request(toy, errors_logged, view):
    response = toy.client.get(f"{OUTCOMES}/{view}", headers={"X-Request-ID": "find-me.1"})
    assert response.status_int == 500
    (error,) = response.json["errors"]
    assert error["code"] == "internal_error"
    assert error["id"] == response.headers["X-Request-ID"] == "find-me.1"
    assert "RuntimeError" not in response.text
    assert "1234" not in response.text
    assert "crash" not in response.text

    (record,) = errors_logged()
    assert "find-me.1" in record.getMessage()
    assert "the safe opens with 1234" in str(record.exc_info)
    assert toy.count(Article) == 0


@toy_on_one_engine
def test_faults_of_clients_are_no_errors_in_the_log(client, errors_logged):
    for url in ("/toy/nowhere", f"{ARTICLES}/1", f"{ARTICLES}?x=1", f"{OUTCOMES}/complain"):
        assert 400 <= client.get(url).status_int < 500
    assert not errors_logged()


@toy_on_one_engine
@pytest.mark.parametrize(
    ("view", "status", "code"),
    [
        ("be_missing", 404, "not_found"),
        ("be_forbidden", 403, "forbidden"),
        ("be_in_conflict", 409, "conflict"),
        # Without a code of its own, a status has that of its class (RFC 9110 §15).
        ("be_gone", 410, "bad_request"),
        ("be_overtaxed", 507, "internal_error"),
        ("complain_as_locked", 423, "bad_request"),
    ],
)
def test_what_pyramid_raises_is_an_errors_document(client, view, status, code):
    response = client.get(f"{OUTCOMES}/{view}")
    assert response.status_int == status
    (error,) = response.json["errors"]
    assert (error["status"], error["code"]) == (str(status), code)
    assert "mirror" not in response.text


@toy_on_one_engine
def test_a_challenge_to_authenticate_reaches_the_client(client):
    response = client.get(f"{OUTCOMES}/be_unauthorised")
    assert response.status_int == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="toy"'


@toy_on_one_engine
def test_what_a_cornice_view_complains_of_is_an_errors_document(client):
    response = client.get(f"{OUTCOMES}/complain")
    assert response.status_int == 400
    (error,) = response.json["errors"]
    assert error["detail"] == "There is no such colour."
    assert error["source"] == {"parameter": "colour"}


@toy_on_one_engine
def test_the_status_that_a_cornice_view_chose_is_kept(client):
    assert client.get(f"{OUTCOMES}/complain_as_missing").status_int == 404


@toy_on_one_engine
def test_a_url_that_nobody_serves_is_not_found(client):
    for url in ("/toy/", "/toy/nowhere", f"{ARTICLES}/", f"{ARTICLES}/1/2", f"{OUTCOMES}/none"):
        response = client.get(url)
        assert response.status_int == 404
        assert sources(response) == [("", "not_found")]


@toy_on_one_engine
def test_a_method_that_a_url_does_not_have_is_answered_with_those_that_it_has(client):
    for url, methods in (
        (ARTICLES, {"GET", "HEAD", "OPTIONS", "POST"}),
        (f"{ARTICLES}/1", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
    ):
        refused = client.request("PUT", url)
        assert refused.status_int == 405
        assert sources(refused) == [("", "method_not_allowed")]
        assert set(refused.headers["Allow"].split(", ")) == methods
        listed = client.request("OPTIONS", url)
        assert set(listed.headers["Allow"].split(", ")) == methods


@toy_on_one_engine
def test_a_redirect_passes_as_it_is(toy):
    response = webtest.TestApp(toy.client.app).get(f"{OUTCOMES}/move", status=302)
    assert response.headers["Location"] == "http://elsewhere.example/"
    assert response.headers["X-Request-ID"]


@toy_on_one_engine
def test_what_a_view_varies_by_is_added_to(client):
    varies = client.get(f"{OUTCOMES}/vary").headers["Vary"]
    assert set(varies.split(", ")) == {"Accept", "Origin"}


@toy_on_one_engine
@pytest.mark.parametrize("id", ["a", "0", "Az09._-", "x" * 128])
def test_a_harmless_request_id_is_repeated(client, id):
    for url in (ARTICLES, "/toy/nowhere"):
        assert client.get(url, headers={"X-Request-ID": id}).headers["X-Request-ID"] == id


@toy_on_one_engine
@pytest.mark.parametrize(
    "id", ["", " ", "a b", "x" * 129, "<b>", "a\tb", "a;b", "\xe9", '"', "%0A"]
)
def test_a_request_id_that_could_do_harm_is_replaced(client, id):
    given = client.get(ARTICLES, headers={"X-Request-ID": id}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", given)


@toy_on_one_engine
def test_requests_without_an_id_have_different_ones(client):
    assert len({client.get(ARTICLES).headers["X-Request-ID"] for _ in range(3)}) == 3
