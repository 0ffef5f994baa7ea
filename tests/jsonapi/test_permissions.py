"""Which permissions a request needs, and how it is refused: 401 to nobody, 403 to somebody."""

import pytest
from pyramid.exceptions import ConfigurationError

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import ACCOUNTS, BADGES, RANKS, TEAMS, PolicyByHeader, Rank, Team, club
from tests.jsonapi.conftest import Toy
from tests.jsonapi.toy import OPERATIONS, make_toy
from tests.jsonapi.world import ADA, identifier, linkage
from users_service.jsonapi import Error, JSONAPIError

pytestmark = toy_on_one_engine

ATOMIC = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
CHALLENGE = 'Bearer realm="club"'


class Caller(Client):
    """A client with some permissions, and perhaps a name."""

    def __init__(self, app, permissions: str, name: str | None = "ada") -> None:
        super().__init__(app)
        self.headers = {"X-Permissions": permissions, "X-Caller": name}

    def request(self, *arguments, headers=None, **options):
        return super().request(*arguments, headers=self.headers | (headers or {}), **options)

    def operate(self, *operations):
        headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
        return self.post(OPERATIONS, {"atomic:operations": operations}, headers=headers)


@pytest.fixture(scope="module")
def app(running_toy):
    return make_toy(running_toy.engine, include=club(), policy=PolicyByHeader())


@pytest.fixture
def filled(toy) -> Toy:
    toy.insert(Rank, [{"id": 1, "name": "novice"}, {"id": 2, "name": "master"}])
    toy.insert(Team, [{"id": 1, "name": "red"}])
    return toy


@pytest.fixture
def account(app, filled) -> str:
    """The id of an account."""
    document = {"data": {"type": "accounts", "id": ADA, "attributes": {"login": "ada"}}}
    response = Client(app).post(ACCOUNTS, document, headers={"X-Permissions": "*"})
    assert response.status_int == 201, response.text
    return ADA


def test_nobody_is_asked_to_authenticate_and_somebody_is_refused(app, account):
    for url in (ACCOUNTS, f"{ACCOUNTS}/{ADA}", f"{ACCOUNTS}/not-an-id", f"{ACCOUNTS}/{ADA}/teams"):
        nobody = Caller(app, "", name=None).get(url)
        assert (nobody.status_int, nobody.headers["WWW-Authenticate"]) == (401, CHALLENGE)
        assert sources(nobody) == [("", "unauthorized")]
        somebody = Caller(app, "").get(url)
        assert (somebody.status_int, sources(somebody)) == (403, [("", "forbidden")])
        assert "WWW-Authenticate" not in somebody.headers


def test_linkage_in_a_document_and_operations_ask_too(app, account):
    document = {"data": {"type": "accounts", "attributes": {"login": "bob"}}}
    document["data"]["relationships"] = {"teams": linkage("teams", [1])}
    place = "/data/relationships/teams"
    for name, status, code in ((None, 401, "unauthorized"), ("ada", 403, "forbidden")):
        caller = Caller(app, "accounts:*", name)
        response = caller.post(ACCOUNTS, document)
        assert (response.status_int, sources(response)) == (status, [(place, code)])
        response = caller.operate({"op": "add", **document})
        assert response.status_int == status
        assert sources(response) == [(f"/atomic:operations/0{place}", code)]
        assert ("WWW-Authenticate" in response.headers) is (name is None)


def test_bad_credentials_are_told_once_and_as_the_policy_does(app, account):
    document = {"data": {"type": "accounts", "attributes": {"login": "bob"}}}
    caller = Caller(app, "*", "forged")
    operation = {"op": "add", **document}
    for response in (caller.get(ACCOUNTS), caller.operate(operation, operation)):
        assert response.status_int == 401
        assert sources(response) == [("", "unauthorized")]
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


AWARD = "ranks:award accounts:read ranks:read"


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (AWARD, 204),
        ("accounts:read accounts:update ranks:read ranks:update", 403),
        ("ranks:award accounts:read", 403),
        ("ranks:award ranks:read", 403),
    ],
)
def test_a_relationship_may_have_a_permission_of_its_own(app, account, permissions, status):
    """It stands in place of `update` on both types; `read` on both is needed with it."""
    caller = Caller(app, permissions)
    role, holders = f"{ACCOUNTS}/{ADA}/relationships/rank", f"{RANKS}/2/relationships/holders"
    reference = identifier("accounts", ADA) | {"relationship": "rank"}
    answers = [
        caller.patch(role, linkage("ranks", 1)),
        caller.post(holders, linkage("accounts", [ADA])),
        caller.delete(holders, linkage("accounts", [ADA])),
        caller.operate({"op": "update", "ref": reference, **linkage("ranks", 2)}),
    ]
    if status == 204:
        assert [answer.status_int for answer in answers] == [204, 204, 204, 200]
        return
    assert [answer.status_int for answer in answers] == [status] * 4
    assert {code for answer in answers for _, code in sources(answer)} == {"forbidden"}


def test_other_relationships_are_not_changed_by_it(app, account):
    response = Caller(app, AWARD).post(f"{TEAMS}/1/relationships/players", linkage("accounts", []))
    assert response.status_int == 403


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (f"accounts:update {AWARD}", 200),
        ("accounts:update accounts:read ranks:read ranks:update", 403),
        (AWARD, 403),  # the URL is that of the account, and not of its rank
    ],
)
def test_it_is_needed_of_linkage_in_a_document(app, account, permissions, status):
    changes = {"data": identifier("accounts", ADA)}
    changes["data"]["relationships"] = {"rank": linkage("ranks", 1)}
    response = Caller(app, permissions).patch(f"{ACCOUNTS}/{ADA}", changes)
    assert response.status_int == status


def test_a_policy_without_a_challenge_refuses_nobody_with_403(running_toy):
    class Silent(PolicyByHeader):
        def forget(self, request, **_):
            return []

    silent = make_toy(running_toy.engine, include=club(), policy=Silent())
    response = Caller(silent, "", name=None).get(BADGES)
    assert (response.status_int, sources(response)) == (403, [("", "forbidden")])
    assert "WWW-Authenticate" not in response.headers


def test_a_host_has_error_codes_of_its_own(running_toy):
    def full(request):
        raise JSONAPIError(Error(code="club_full", detail="Come back next year."))

    def include(config):
        config.add_jsonapi_error_codes({"club_full": (409, "The club is full")})
        for code in ("club_full", "not_found"):  # which mean something else already
            with pytest.raises(ConfigurationError, match=code):
                config.add_jsonapi_error_codes({code: (403, "Full")})
        club(create=full)(config)

    app = make_toy(running_toy.engine, include=include, policy=PolicyByHeader())
    document = {"data": {"type": "accounts", "attributes": {"login": "bob"}}}
    response = Client(app).post(ACCOUNTS, document)
    (error,) = response.json["errors"]
    assert response.status_int == 409
    assert (error["code"], error["title"]) == ("club_full", "The club is full")
