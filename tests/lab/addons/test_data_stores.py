"""Do the stores keep what pods give them, and find it again?"""

from __future__ import annotations

import secrets

import pytest

from lab import addons
from lab.errors import LabError
from tests.lab.addons.traffic import inside, wait_until_reached

pytestmark = pytest.mark.addon


def ask_postgres(query: str, *, password: str) -> list[str]:
    """Return the rows that a query gives, asked over the network."""
    address = f"postgresql://postgres:{password}@postgres/postgres"
    plain = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align")
    printed = inside("postgres", "statefulset/postgres", "psql", address, *plain, f"--command={query}")
    return printed.splitlines()


def test_a_sorted_set_in_redis_gives_back_its_smallest_member() -> None:
    namespace = addons.ensure("redis").namespace
    key = f"queue-{secrets.token_hex(4)}"
    wait_until_reached(namespace, "deployment/redis", "redis-cli", "-h", "redis", "PING")

    def command(words: str) -> str:
        # By the service's name: as another pod reaches it.
        return inside(namespace, "deployment/redis", "redis-cli", "-h", "redis", *words.split())

    assert command(f"ZADD {key} 30 late 10 early 20 between") == "3"
    assert command(f"ZPOPMIN {key}").split() == ["early", "10"]
    assert command(f"ZCARD {key}") == "2"
    assert command(f"DEL {key}") == "1"


def test_a_vector_query_in_postgres_returns_the_nearest() -> None:
    password = addons.ensure("postgres").parameters["password"]
    wait_until_reached("postgres", "statefulset/postgres", "pg_isready", "--host=postgres")
    nearest = ask_postgres(
        "CREATE TEMPORARY TABLE documents (name text, embedding vector(3));"
        "INSERT INTO documents VALUES ('far', '[9,9,9]'), ('near', '[1,2,3]'), ('next', '[1,2,5]');"
        "CREATE INDEX ON documents USING hnsw (embedding vector_l2_ops);"
        "SELECT name, embedding <-> '[1,2,3.5]' FROM documents ORDER BY 2 LIMIT 2;",
        password=password,
    )
    assert nearest == ["near|0.5", "next|1.5"]


def test_postgres_refuses_a_wrong_password() -> None:
    addons.ensure("postgres")
    with pytest.raises(LabError, match="password authentication failed"):
        ask_postgres("SELECT 1", password="wrong")  # noqa: S106 - wrong on purpose
