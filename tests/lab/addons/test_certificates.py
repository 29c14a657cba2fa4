"""Does cert-manager turn a Certificate into a Secret that holds one?"""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import addons, cluster
from proofs.waiting import wait_until

pytestmark = pytest.mark.addon

SPACE = "certificates"
NAME = "model.example.com"
ISSUER = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "spec": {"selfSigned": {}}}
CERTIFICATE = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "spec": {
        "secretName": "model-tls",
        "dnsNames": [NAME],
        "duration": "2h",
        "issuerRef": {"kind": "Issuer", "name": "model"},
    },
}


@pytest.fixture
def space() -> Iterator[str]:
    """Return a namespace that is removed afterwards."""
    cluster.kubectl("create", "namespace", SPACE, doing="Making a namespace")
    yield SPACE
    cluster.kubectl("delete", "namespace", SPACE, doing="Removing a namespace", timeout=120)


def secret(space: str) -> dict[str, str]:
    """Return what the certificate's Secret holds; nothing as long as it is not there."""
    words = f"get secret model-tls --namespace={space} --ignore-not-found -o=json"
    printed = cluster.kubectl(*words.split(), doing="Reading the Secret")
    data = json.loads(printed)["data"] if printed else {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Do a TLS handshake in memory; raises ssl.SSLError when the client does not trust the server."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
                ends.remove(end)


def test_a_self_signed_issuer_gives_a_certificate_for_the_name(space: str, tmp_path: Path) -> None:
    addons.ensure("cert-manager")
    objects: list[dict[str, Any]] = [ISSUER, CERTIFICATE]
    for body in objects:
        named = {**body, "metadata": {"name": "model", "namespace": space}}
        cluster.kubectl("apply", "--filename=-", doing=f"Applying {body['kind']}", given=json.dumps(named))
    found = wait_until(lambda: secret(space), deadline=60, what="the Secret is made", interval=1)
    for key in ("tls.crt", "tls.key"):
        (tmp_path / key).write_text(found[key])
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    client = ssl.create_default_context(cadata=found["tls.crt"])
    shake_hands(server, client, NAME)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(server, client, "another.example.com")
