"""Do a person and a program get in, with the groups and scopes that are theirs, and only in time?"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import jwt
import pytest

from lab import addons
from proofs.waiting import wait_until
from tests.lab.addons.traffic import inside_python, reach

pytestmark = pytest.mark.addon

ISSUER = "http://hydra.identity.svc:4444"
AUDIENCE = "gate"
#: A browser's way: to the gate, sent to the issuer, its form filled in, sent back with a code.
LOGIN = """
import http.cookiejar, json, sys, urllib.error, urllib.parse, urllib.request
gate, person = "http://oauth2-proxy.identity.svc:4180", sys.argv[1]
cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
browser = urllib.request.build_opener(cookies)

def status(path):
    try:
        return browser.open(gate + path).status
    except urllib.error.HTTPError as error:
        return error.code

before = status("/oauth2/userinfo")
form = browser.open(gate + "/")
page = browser.open(form.url, data=urllib.parse.urlencode({"sub": person}).encode())
print(json.dumps({
    "before": before,
    "form": form.url.partition("?")[0],
    "page": [page.status, page.url],
    "user": json.load(browser.open(gate + "/oauth2/userinfo")),
    "platform": status("/oauth2/auth?allowed_groups=platform"),
}))
"""


@pytest.fixture(scope="module", autouse=True)
def started() -> None:
    """Start what the tests ask."""
    addons.ensure("client")
    addons.ensure("identity")


@pytest.fixture(scope="module")
def hydra() -> Iterator[httpx.Client]:
    """Yield a client of Hydra's public side."""
    with reach("identity", "service/hydra", 4444) as client:
        yield client


@pytest.fixture(scope="module")
def administration() -> Iterator[httpx.Client]:
    """Yield a client of the side of Hydra that only its own pod reaches."""
    with reach("identity", "deployment/hydra", 4445) as client:
        yield client


@pytest.fixture(scope="module")
def gate() -> Iterator[httpx.Client]:
    """Yield a client of oauth2-proxy."""
    with reach("identity", "service/oauth2-proxy", 4180) as client:
        yield client


@contextmanager
def registered(administration: httpx.Client, lifespan: str) -> Iterator[tuple[str, str]]:
    """Yield the name and password of a program whose tokens live for a while."""
    body = {
        "grant_types": ["client_credentials"],
        "scope": "inference.read inference.write",
        "audience": [AUDIENCE],
        "client_credentials_grant_access_token_lifespan": lifespan,
    }
    made = administration.post("/admin/clients", json=body).raise_for_status().json()
    try:
        yield made["client_id"], made["client_secret"]
    finally:
        administration.delete(f"/admin/clients/{made['client_id']}").raise_for_status()


@pytest.fixture
def program(administration: httpx.Client) -> Iterator[tuple[str, str]]:
    """Yield the name and password of a program."""
    with registered(administration, "10m") as made:
        yield made


def ask(hydra: httpx.Client, program: tuple[str, str], scope: str = "inference.read") -> httpx.Response:
    """Ask for a token by client credentials and return the answer, whatever it is."""
    body = {"grant_type": "client_credentials", "scope": scope, "audience": AUDIENCE}
    return hydra.post("/oauth2/token", data=body, auth=program)


def claims(hydra: httpx.Client, token: str) -> dict[str, Any]:
    """Return what a token says, verified by the keys that Hydra publishes now."""
    known = jwt.PyJWKSet.from_dict(hydra.get("/.well-known/jwks.json").raise_for_status().json())
    key = known[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    return found


def passes(gate: httpx.Client, token: str) -> int:
    """Return the status with which the gate answers the bearer of a token."""
    return gate.get("/oauth2/auth", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize(
    ("person", "groups", "platform"),
    [
        ("alice", ["platform", "data-science"], httpx.codes.ACCEPTED),
        ("bob", ["data-science"], httpx.codes.FORBIDDEN),
    ],
)
def test_a_person_logs_in_by_the_code_flow_and_has_groups(
    person: str, groups: list[str], platform: int
) -> None:
    seen = json.loads(inside_python("client", "deployment/client", LOGIN, person))
    assert seen["before"] == httpx.codes.UNAUTHORIZED
    assert seen["form"] == "http://oidc-provider-mock.identity.svc:9400/oauth2/authorize"
    assert seen["page"] == [httpx.codes.OK, "http://oauth2-proxy.identity.svc:4180/"]
    assert (seen["user"]["email"], seen["user"]["groups"]) == (f"{person}@example.com", groups)
    assert seen["platform"] == platform


def test_a_program_gets_a_token_with_the_scope_that_it_asked_for(
    hydra: httpx.Client, gate: httpx.Client, program: tuple[str, str]
) -> None:
    token = ask(hydra, program).raise_for_status().json()["access_token"]
    found = claims(hydra, token)
    assert (found["scp"], found["sub"]) == (["inference.read"], program[0])
    assert passes(gate, token) == httpx.codes.ACCEPTED
    unsigned = token.rpartition(".")[0] + "." + "A" * 342
    assert passes(gate, unsigned) == httpx.codes.UNAUTHORIZED
    refused = ask(hydra, program, scope="cluster.admin")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    stranger = ask(hydra, (program[0], secrets.token_hex(16)))
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")


def test_a_token_is_refused_after_its_end(
    hydra: httpx.Client, administration: httpx.Client, gate: httpx.Client
) -> None:
    with registered(administration, "15s") as program:
        token = ask(hydra, program).raise_for_status().json()["access_token"]
    end = claims(hydra, token)["exp"]
    assert passes(gate, token) == httpx.codes.ACCEPTED
    wait_until(lambda: time.time() > end + 1, deadline=30, what="the token's end has come")
    assert passes(gate, token) == httpx.codes.UNAUTHORIZED
    with pytest.raises(jwt.ExpiredSignatureError):
        claims(hydra, token)


def test_tokens_of_the_old_key_and_of_the_new_one_verify_after_a_rotation(
    hydra: httpx.Client, administration: httpx.Client, gate: httpx.Client, program: tuple[str, str]
) -> None:
    def kid(token: str) -> str:
        return str(jwt.get_unverified_header(token)["kid"])

    old = ask(hydra, program).raise_for_status().json()["access_token"]
    administration.post(
        "/admin/keys/hydra.jwt.access-token", json={"alg": "RS256", "use": "sig", "kid": ""}
    ).raise_for_status()
    new = ask(hydra, program).raise_for_status().json()["access_token"]
    assert kid(new) != kid(old)
    published = [one["kid"] for one in hydra.get("/.well-known/jwks.json").json()["keys"]]
    assert {kid(new), kid(old)} <= set(published)
    for token in (old, new):
        assert claims(hydra, token)["sub"] == program[0]
        assert passes(gate, token) == httpx.codes.ACCEPTED
