"""Do sentences that mean the same lie close together, where the add-on embeddings puts them?"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

import httpx
import pytest

from lab import addons
from tests.lab.addons.traffic import reach

pytestmark = pytest.mark.addon

MODEL = "all-minilm-l6-v2"
DIMENSIONS = 384
#: Each means nearly the same as the next or the one before, in other words.
PAIRS = (
    ("How do I reset my password?", "I forgot my login credentials."),
    ("The printer jams every morning.", "Paper gets stuck whenever we print something."),
    ("A kitten is asleep on the couch.", "The cat naps on our sofa."),
    ("Share prices fell sharply today.", "The stock market lost a lot this afternoon."),
    ("It will rain tomorrow.", "Expect wet weather on the next day."),
)


@pytest.fixture(scope="module")
def embeddings() -> Iterator[httpx.Client]:
    """Return a client of the add-on's Service; it goes at the end."""
    with reach(addons.ensure("embeddings").namespace, "service/embeddings", 8000) as opened:
        yield opened
    addons.remove("embeddings")


def embedded(client: httpx.Client, *sentences: str) -> list[list[float]]:
    """Return the vectors of sentences."""
    answer = client.post("/v1/embeddings", json={"model": MODEL, "input": sentences}).raise_for_status()
    return [row["embedding"] for row in sorted(answer.json()["data"], key=lambda row: int(row["index"]))]


def cosine(first: list[float], second: list[float]) -> float:
    """Return the cosine of the angle between two vectors of length one."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def test_the_nearest_neighbour_of_a_sentence_means_the_same(embeddings: httpx.Client) -> None:
    sentences = [sentence for pair in PAIRS for sentence in pair]
    vectors = embedded(embeddings, *sentences)
    for number, vector in enumerate(vectors):
        others = [other for other in range(len(vectors)) if other != number]
        nearest = max(others, key=lambda other: cosine(vector, vectors[other]))
        assert sentences[nearest] in PAIRS[number // 2]


def test_vectors_have_length_one_and_do_not_depend_on_the_company(embeddings: httpx.Client) -> None:
    alone = embedded(embeddings, PAIRS[0][0])[0]
    together = embedded(embeddings, *PAIRS[1], PAIRS[0][0])[2]
    assert len(alone) == DIMENSIONS
    assert hypot(*alone) == pytest.approx(1, abs=1e-3)
    assert alone == pytest.approx(together, abs=1e-4)


def test_an_unknown_model_and_too_long_a_text_are_refused(embeddings: httpx.Client) -> None:
    answer = embeddings.post("/v1/embeddings", json={"model": "unheard-of", "input": "Hello"})
    assert answer.status_code == 404
    answer = embeddings.post("/v1/embeddings", json={"model": MODEL, "input": "word " * 300})
    assert answer.status_code == 400
    assert "maximum context length is 256 tokens" in answer.json()["error"]["message"]
