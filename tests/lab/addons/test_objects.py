"""Does the object store keep versions and rules, tell its users apart, and outlive its pod?"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from lab import addons, cluster
from proofs.waiting import wait_until
from tests.lab.addons.s3 import call
from tests.lab.addons.traffic import pods
from tests.lab.live.space import is_ready, read

pytestmark = pytest.mark.addon


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """Return a bucket that keeps two versions of the object `answer`."""
    addons.ensure("mlflow")  # with objects
    name = f"test-{secrets.token_hex(4)}"
    call("writer", "create_bucket", Bucket=name)
    call("writer", "put_bucket_versioning", Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for text in ("first", "second"):
        call("writer", "put_object", Bucket=name, Key="answer", Body=text)
    yield name
    for one in versions(name):
        call("writer", "delete_object", Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    call("writer", "delete_bucket", Bucket=name)


def versions(bucket: str) -> list[dict[str, str]]:
    """Return the versions in a bucket, newest first."""
    found: list[dict[str, str]] = call("writer", "list_object_versions", Bucket=bucket).get("Versions", [])
    return found


def texts(bucket: str, user: str = "writer") -> list[str]:
    """Return what each version of `answer` says, newest first."""
    numbers = [one["VersionId"] for one in versions(bucket)]
    return [
        call(user, "get_object", Bucket=bucket, Key="answer", VersionId=number)["Body"] for number in numbers
    ]


def test_an_object_that_was_written_again_keeps_its_older_version(bucket: str) -> None:
    assert call("writer", "get_object", Bucket=bucket, Key="answer")["Body"] == "second"
    assert texts(bucket) == ["second", "first"]


def test_a_lifecycle_rule_is_kept_as_it_was_given(bucket: str) -> None:
    rule = {
        "ID": "old-logs-go",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 30},
    }
    call(
        "writer",
        "put_bucket_lifecycle_configuration",
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [rule]},
    )
    found = call("writer", "get_bucket_lifecycle_configuration", Bucket=bucket)["Rules"]
    assert [one["Expiration"]["Days"] for one in found] == [30]
    assert [(one["ID"], one["Status"], one["Filter"]) for one in found] == [
        ("old-logs-go", "Enabled", {"Prefix": "logs/"})
    ]


def test_the_reader_reads_and_is_refused_to_write(bucket: str) -> None:
    assert texts(bucket, "reader") == ["second", "first"]
    for method, more in {"put_object": {"Body": "third"}, "delete_object": {}}.items():
        refused = call("reader", method, Bucket=bucket, Key="answer", **more)
        assert refused == {"refused": "AccessDenied"}
    assert texts(bucket) == ["second", "first"]


def test_a_user_of_one_bucket_and_a_wrong_key_are_refused(bucket: str) -> None:
    read_answer = {"Bucket": bucket, "Key": "answer"}
    assert call("mlflow", "get_object", **read_answer) == {"refused": "AccessDenied"}
    wrong = call("writer", "get_object", key=secrets.token_hex(16), **read_answer)
    assert wrong == {"refused": "SignatureDoesNotMatch"}
    assert call("nobody", "get_object", key="wrong", **read_answer) == {"refused": "InvalidAccessKeyId"}


def test_another_pod_finds_what_the_first_one_kept(bucket: str) -> None:
    selector = "app.kubernetes.io/name=seaweedfs"
    (before,) = pods("objects", selector)
    cluster.kubectl("delete", "pod", before, "--namespace=objects", "--wait=false", doing="Deleting the pod")

    def replaced() -> bool:
        now = pods("objects", selector)
        return before not in now and any(is_ready(read("pod", name, "objects")) for name in now)

    wait_until(replaced, deadline=120, what="another pod of seaweedfs is ready")
    wait_until(lambda: "refused" not in call("writer", "list_buckets"), deadline=60, what="it is reached")
    assert texts(bucket) == ["second", "first"]
