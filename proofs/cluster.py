"""Talk to the API server through the `kubernetes` client, with the listing's own text.

Its typed and dynamic calls parse and print a body again, and drop the server's
warnings; here a text is sent byte for byte and the warnings come back.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from proofs.documents import Document
from proofs.failures import HarnessError, Missing, Refused

FIELD_MANAGER = "life-with-llm-d"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_TIMEOUT = 30
NOT_ABOUT_THE_OBJECT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
#: How messages about the object begin that the server sends with status 500, as if it had failed.
ABOUT_THE_OBJECT = ("failed to create typed patch object", "unsupported role reference kind")


@dataclass(frozen=True)
class Answer:
    """What the API server answered: HTTP status, body, and its warnings."""

    status: int
    text: str
    warnings: tuple[str, ...]

    @property
    def created(self) -> bool:
        """Tell whether the request made a new object."""
        return self.status == HTTPStatus.CREATED

    @property
    def content(self) -> dict[str, Any]:
        """Return the body, read as JSON."""
        content: dict[str, Any] = json.loads(self.text)
        return content


@dataclass(frozen=True)
class Resource:
    """A kind that the API server offers, where, and whether its objects can be listed."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    names: frozenset[str]
    listable: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the URL path of the collection or of one object in it."""
        root = "apis" if "/" in self.api_version else "api"
        room = f"/namespaces/{namespace}" if self.namespaced else ""
        end = f"/{name}" if name else ""
        return f"/{root}/{self.api_version}{room}/{self.plural}{end}"


class Cluster:
    """The API server that a kubeconfig names."""

    def __init__(self, kubeconfig: Path) -> None:
        """Connect with the current context of a kubeconfig."""
        # Its import takes as long as a small test run, and many runs need no cluster.
        from kubernetes.config import new_client_from_config  # noqa: PLC0415

        self._client = new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(kubeconfig), persist_config=False
        )
        self._resources: list[Resource] = []

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: str | Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        """Send one request and return the answer.

        Raises Missing on 404, Refused on another answer of 4xx, HarnessError when the
        server did not answer properly.
        """
        request = self._client.param_serialize(
            method,
            path,
            # A fresh list: the client appends to the one that it is given.
            query_params=list((query or {}).items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request, _request_timeout=_TIMEOUT)
        text = (response.read() or b"").decode(errors="replace")
        _raise_for(response.status, text)
        warnings = tuple(
            # 299 - "text": RFC 9111 section 5.5 in the form that Kubernetes sends.
            warning.split('"', 1)[-1].rsplit('"', 1)[0]
            for warning in response.response.headers.getlist("Warning")
        )
        return Answer(response.status, text, warnings)

    def user(self) -> str:
        """Return the name that the API server knows this user by."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        review = self.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
        return str(review.content["status"]["userInfo"]["username"])

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of a kind, None when the API server does not offer it."""
        return self._first(lambda resource: (resource.api_version, resource.kind) == (api_version, kind))

    def resource_named(self, name: str) -> Resource:
        """Return the resource that kubectl knows by a name: deployment, deploy, pods."""
        resource = self._first(lambda resource: name.lower() in resource.names)
        if resource is None:
            message = f"the API server offers no kind named {name!r}"
            raise HarnessError(message)
        return resource

    def apply(self, document: Document, namespace: str, *, dry_run: bool = False) -> tuple[Resource, Answer]:
        """Apply a document on the server, strictly, as the text that it is."""
        resource = self.resource_of(document)
        query = {
            "fieldManager": FIELD_MANAGER,
            "fieldValidation": "Strict",
            "force": "true",
            **({"dryRun": "All"} if dry_run else {}),
        }
        path = resource.path(document.namespace or namespace, document.name)
        answer = self.request(
            "PATCH",
            path,
            query=query,
            body=document.text,
            content_type="application/apply-patch+yaml",
        )
        return resource, answer

    def create(self, document: Document, namespace: str) -> tuple[Resource, Answer]:
        """Create an object from a document's text, as `kubectl create` would, strictly."""
        resource = self.resource_of(document)
        answer = self.request(
            "POST",
            resource.path(document.namespace or namespace),
            query={"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"},
            body=document.text,
            content_type="application/yaml",
        )
        return resource, answer

    def delete(self, path: str, *, at_once: bool = False) -> None:
        """Delete what is at a URL path; what is gone already is no error.

        `at_once` gives pods no time to end by themselves.
        """
        query = {"gracePeriodSeconds": "0"} if at_once else {}
        with contextlib.suppress(Missing):
            self.request("DELETE", path, query=query)

    def resource_of(self, document: Document) -> Resource:
        """Return the resource of a document's kind; raise Refused when there is none."""
        resource = self.resource(document.api_version, document.kind)
        if resource is None:
            message = f'no matches for kind "{document.kind}" in version "{document.api_version}"'
            raise Refused(message)
        return resource

    def outside_namespaces(self) -> list[Resource]:
        """Return the listable resources that are in no namespace, each in its preferred version."""
        preferred: dict[tuple[str, str], Resource] = {}
        for resource in self._discover():
            if resource.listable and not resource.namespaced:
                group = resource.api_version.rpartition("/")[0]
                preferred.setdefault((group, resource.plural), resource)
        return list(preferred.values())

    def _first(self, matches: Callable[[Resource], bool]) -> Resource | None:
        found = next(filter(matches, self._resources), None)
        if found is None:  # a definition may have been installed since
            found = next(filter(matches, self._discover()), None)
        return found

    def _discover(self) -> list[Resource]:
        self._resources = [
            resource
            for root in ("/api", "/apis")
            for resource in _discovered(self.request("GET", root, accept=_DISCOVERY).content)
        ]
        return self._resources


def _discovered(content: Mapping[str, Any]) -> list[Resource]:
    """Return the resources in an answer of the aggregated discovery."""
    return [
        Resource(
            api_version="/".join(filter(None, [group_name, version["version"]])),
            kind=resource["responseKind"]["kind"],
            plural=resource["resource"],
            namespaced=resource["scope"] == "Namespaced",
            names=_names(resource, group_name),
            listable="list" in resource.get("verbs", ()),
        )
        for group in content["items"]
        for group_name in [group["metadata"].get("name", "")]
        for version in group["versions"]
        for resource in version.get("resources", ())  # none of an aggregated API that is down
    ]


def _names(resource: Mapping[str, Any], group: str) -> frozenset[str]:
    """Return the names that kubectl takes for a resource, with and without its group."""
    names = [
        resource["resource"],
        resource.get("singularResource", ""),
        *resource.get("shortNames", []),
    ]
    return frozenset([*names, *(f"{name}.{group}" for name in names if group)])


def _raise_for(status: int, text: str) -> None:
    if status < HTTPStatus.BAD_REQUEST:
        return
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        message = text.strip() or f"HTTP status {status}"
    failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR and not message.startswith(ABOUT_THE_OBJECT)
    if status in NOT_ABOUT_THE_OBJECT or failed:
        message = f"the API server answered {status}: {message}"
        raise HarnessError(message)
    raise (Missing if status == HTTPStatus.NOT_FOUND else Refused)(message)
