"""Chapter 1: what the router changes, what it is made of, and when to leave it alone."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from proofs.api import CommandFailed, Mutant, Proof, proves
from tests.programs import refusal

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "source/part-1-foundation/01-introduction.md"
RECORDED = ROOT / "source/plots/conversations.json"

CHAPTER = "01-introduction"
CONVERSATIONS = f"{CHAPTER}/conversations.py"
START = f"{CHAPTER}/start.console"
THROUGH_ROUTER = f"{CHAPTER}/through-router.console"
SHARED_MANUAL = f"{CHAPTER}/shared-manual.console"
KV_CACHE = f"{CHAPTER}/kv_cache.py"
MODELS = f"{CHAPTER}/models.toml"
SIZES = f"{CHAPTER}/kv-cache.console"
EXPECTED = f"{CHAPTER}/expected_share.py"
SHARES = f"{CHAPTER}/expected-share.console"
PARTS = f"{CHAPTER}/parts.console"
TRACE = f"{CHAPTER}/trace.py"
TRACED = f"{CHAPTER}/trace.console"
SAME_ANSWER = f"{CHAPTER}/same_answer.py"
COMPARED = f"{CHAPTER}/same-answer.console"
PLATFORMS = f"{CHAPTER}/platforms.toml"
TABLES = f"{CHAPTER}/platforms.py"
TREE = f"{CHAPTER}/choose.toml"
TEAMS = f"{CHAPTER}/teams.toml"
CHOOSE = f"{CHAPTER}/choose.py"
CHOSEN = f"{CHAPTER}/choose.console"

#: What readers start with `nox -s lab -- add`.
LOOK = "router:kv-cache=on,mode=echo,model=lab/sim-8b,namespace=first-look"
#: A model server that keeps nothing.
FORGETFUL = "fleet:mode=echo,model=lab/sim-8b,replicas=1,namespace=forgetful"
#: Model servers that report what a test tells them to.
TOLD = "router:fake-metrics=on,mode=echo,model=lab/sim-8b,max-model-len=16384,namespace=told"
#: The router with a configuration that names no plugin.
UNSCORED = "router:config=empty,kv-cache=on,mode=echo,model=lab/sim-8b,namespace=unscored"
FLEET = ("client", LOOK)
USES = ("router", "simulator", "envoy")
SERVICE = "http://sim.first-look:8000"
ROUTER = "http://router.first-look:8081"

Turn = dict[str, Any]


# What several proofs need


def in_the_client(proof: Proof, command: str) -> str:
    """Return what a shell prints that can pass a program of the chapter to the client's pod."""
    client = "kubectl exec --stdin --namespace=client deployment/client --"
    return proof.run(["bash", "-c", f"set -o pipefail; {command.replace('{client}', client)}"])


def turns(proof: Proof, url: str, variation: str = "none") -> list[Turn]:
    """Return all turns of ten conversations that go to a URL."""
    options = f"--json --variation={variation}"
    printed = in_the_client(proof, f"{{client}} python3 - {url} {options} < conversations.py")
    found: list[Turn] = json.loads(printed)
    assert len(found) == 60
    return found


def kept_to_one_pod(found: list[Turn]) -> int:
    """Return how many conversations were answered by one pod each."""
    pods: dict[int, set[str]] = {}
    for turn in found:
        pods.setdefault(turn["conversation"], set()).add(turn["pod"])
    return sum(len(names) == 1 for names in pods.values())


def cached(found: list[Turn]) -> int:
    """Return how many tokens of all prompts were in a cache."""
    return sum(turn["cached_tokens"] for turn in found)


def prompts(found: list[Turn]) -> int:
    """Return how many tokens all prompts had."""
    return sum(turn["prompt_tokens"] for turn in found)


def pods_of(found: list[Turn]) -> int:
    """Return how many pods answered."""
    return len({turn["pod"] for turn in found})


def without_names(found: list[Turn]) -> list[Turn]:
    """Return turns with numbers for pods, in the order of their first answers."""
    numbers: dict[str, int] = {}
    return [{**turn, "pod": numbers.setdefault(turn["pod"], len(numbers) + 1)} for turn in found]


def drawing(name: str) -> str:
    """Return the text of a Mermaid drawing of the page."""
    for block in re.findall(r"(?ms)^```\{mermaid\}\n(.*?)^```$", PAGE.read_text(encoding="utf-8")):
        options, _, text = str(block).partition("\n\n")
        if f":name: {name}\n" in options:
            return text
    message = f"no drawing {name} in the page"
    raise AssertionError(message)


# What llm-d changes


@proves(
    START,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    only_in_lab=True,
    mutants=[Mutant(START, "namespace first-look.", "namespace router.", because="another namespace")],
)
def test_what_the_chapter_starts_is_there(proof: Proof) -> None:
    proof.transcript(START)


@proves(
    CONVERSATIONS,
    THROUGH_ROUTER,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    alone=True,  # neighbours would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            CONVERSATIONS,
            "connection.close()  # the next request opens another",
            "pass",
            because="a kept connection hides the Service's choice",
        ),
        Mutant(
            CONVERSATIONS,
            "beginning(case, variation)",
            'beginning(case, "clock")',
            because="no two prompts begin alike",
        ),
        Mutant(CONVERSATIONS, "TURNS = 6", "TURNS = 1", because="nobody comes back"),
        Mutant(THROUGH_ROUTER, "10 of 10", "9 of 10", because="all keep to one pod"),
    ],
)
def test_conversations_keep_to_a_pod_through_the_router_and_not_through_the_service(proof: Proof) -> None:
    proof.transcript(THROUGH_ROUTER)
    service, router = turns(proof, SERVICE), turns(proof, ROUTER)
    assert kept_to_one_pod(router) == 10
    # Chance keeps one of ten to one of three pods 4 times in 100 runs, three of them once in 100,000.
    assert kept_to_one_pod(service) <= 2
    assert prompts(service) == prompts(router)
    # Expected are 17 turns of more than 1,000 tokens; chance leaves less than 5 once in 10,000 runs.
    assert cached(router) - cached(service) > 5_000
    if proof.recording:
        recorded = {"service": without_names(service), "router": without_names(router)}
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


@proves(
    CONVERSATIONS,
    SHARED_MANUAL,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    alone=True,  # neighbours would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            CONVERSATIONS,
            'return f"{RULE * 76}{case}"',
            'return f"{case}{RULE * 76}"',
            because="what is shared must stand first",
        ),
        Mutant(SHARED_MANUAL, "pod                     60", "pod  59, 1", because="one pod has all"),
    ],
)
def test_a_beginning_that_all_share_draws_all_conversations_to_one_pod(proof: Proof) -> None:
    proof.transcript(SHARED_MANUAL)
    counts = Counter(turn["pod"] for turn in turns(proof, SERVICE, "manual"))
    assert max(counts.values()) < 45  # of 60; expected are 20


def pod_that_answers(router: httpx.Client, prompt: str) -> str:
    """Return the pod that answers a prompt."""
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": "And now?"}]
    answer = router.post("/v1/chat/completions", json={"model": "lab/sim-8b", "messages": messages})
    return str(answer.raise_for_status().headers["x-inference-pod"])


def let_wait(proof: Proof, waiting: dict[str, int]) -> None:
    """Have pods report numbers of waiting requests, and wait until the picker has read them."""
    for pod, count in waiting.items():
        path = f"/api/v1/namespaces/told/pods/{pod}:8000/proxy/admin/config"
        body = {"fake-metrics": {"waiting-requests": count, "running-requests": 0, "kv-cache-usage": 0}}
        proof.cluster.request("POST", path, body=body)
    with proof.forward("service/router", 9090, namespace="told") as url:

        def read() -> bool:
            text = httpx.get(f"{url}/metrics", timeout=5).text
            queues = re.findall(r"(?m)^llm_d_epp_per_endpoint_queue_size\{(.*)\} (\d+)$", text)
            return all(
                any(pod in where and int(n) == count for where, n in queues) for pod, count in waiting.items()
            )

        proof.wait_until(read, 20, "the picker has read the queues")


@proves(
    CONVERSATIONS,
    evidence="ran",
    uses=USES,
    needs=[TOLD],
    router=">=0.10",
    mutants=[
        Mutant(CONVERSATIONS, "SENTENCE * 76}", "SENTENCE * 8}", because="nearly all of a prompt is shared"),
        Mutant(CONVERSATIONS, "RULE = ", 'RULE = "" and ', because="nothing is shared"),
    ],
)
def test_a_queue_sends_half_a_stranger_elsewhere_and_keeps_three_quarters(proof: Proof) -> None:
    program = proof.module(CONVERSATIONS)
    idle = dict.fromkeys((one["metadata"]["name"] for one in proof.objects("pod", "app=sim", "told")), 0)
    with (
        proof.forward("service/router", 8081, namespace="told") as url,
        httpx.Client(base_url=url, timeout=20) as router,
    ):
        for manuals, leaves in ((1, True), (3, False)):
            manual = f"{program.case_file()[:18]} {program.RULE * 76 * manuals}"
            let_wait(proof, idle)
            home = pod_that_answers(router, f"{manual}{program.case_file()}")
            # Without a queue, all who share the manual come to its pod: 5.5 points against 4.
            assert {pod_that_answers(router, f"{manual}{program.case_file()}") for _ in range(6)} == {home}
            let_wait(proof, {**idle, home: 9})
            # With one, 3.5 points against 4, or 4.25 where the manual is three quarters.
            assert (pod_that_answers(router, f"{manual}{program.case_file()}") != home) == leaves
        let_wait(proof, idle)


@proves(
    CONVERSATIONS,
    evidence="ran",
    uses=USES,
    needs=(*FLEET, FORGETFUL, UNSCORED),
    router=">=0.10",
    mutants=[
        Mutant(
            CONVERSATIONS,
            "datetime.now(UTC).isoformat()",
            "datetime.now(UTC).date()",
            because="the date is the same all day",
        ),
        Mutant(
            CONVERSATIONS,
            "if response.status != http.HTTPStatus.OK:",
            "if response.status == 0:",
            because="a refusal must be told",
        ),
    ],
)
def test_each_row_of_the_troubleshooting_table(proof: Proof) -> None:
    clock = turns(proof, ROUTER, "clock")
    assert cached(clock) < prompts(clock) / 50

    kept = turns(proof, SERVICE, "kept-connection")
    assert pods_of(kept) == 1

    with proof.forward("service/sim", 8000, namespace="first-look") as url:
        forwarded = json.loads(proof.run([sys.executable, "conversations.py", url, "--json"]))
    assert pods_of(forwarded) == 1

    unscored = turns(proof, "http://router.unscored:8081")
    assert kept_to_one_pod(unscored) <= 2
    assert "Scorers: []" in proof.logs("deployment/router", "endpoint-picker", namespace="unscored")

    forgetful = turns(proof, "http://sim.forgetful:8000")
    assert cached(forgetful) == 0

    with pytest.raises(CommandFailed, match=r"status 404: .*The model `lab/nobody` does not exist"):
        in_the_client(proof, f"sed s,lab/sim-8b,lab/nobody, conversations.py | {{client}} python3 - {ROUTER}")
    with pytest.raises(CommandFailed, match=r"http://router\.nowhere:8081: \[Errno -\d\]"):
        in_the_client(proof, "{client} python3 - http://router.nowhere:8081 < conversations.py")


@contextmanager
def session_affinity(proof: Proof, kind: str) -> Iterator[None]:
    """Give the fleet's Service another session affinity for a while."""

    def patch(to: str) -> None:
        change = json.dumps({"spec": {"sessionAffinity": to}})
        proof.kubectl("patch", "service", "sim", "--namespace=first-look", f"--patch={change}")

    patch(kind)
    try:
        yield
    finally:
        patch("None")
        proof.wait_until(lambda: pods_of(turns(proof, SERVICE)) > 1, 60, "the Service takes any pod again")


def through_the_router(proof: Proof, change: str, variation: str = "none") -> list[Turn]:
    """Return all turns of the program with a change that sed makes."""
    program = f"sed '{change}' conversations.py"
    options = f"--json --variation={variation}"
    found: list[Turn] = json.loads(
        in_the_client(proof, f"{program} | {{client}} python3 - {ROUTER} {options}")
    )
    return found


@proves(
    CONVERSATIONS,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    alone=True,  # neighbours would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            CONVERSATIONS,
            'if variation != "kept-connection":',
            "if variation:",
            because="the connection is never kept",
        ),
        Mutant(
            CONVERSATIONS,
            "QUESTION.format(turn)",
            "QUESTION.format(turn) * 5",
            because="no first prompt is short",
        ),
    ],
)
def test_the_answers_to_the_exercises_in_the_lab(proof: Proof) -> None:
    with session_affinity(proof, "ClientIP"):
        # One client, one address, one pod. Chance does not do that sixty times.
        proof.wait_until(lambda: pods_of(turns(proof, SERVICE)) == 1, 60, "the Service keeps its client")

    kept = turns(proof, SERVICE, "kept-connection")
    assert pods_of(kept) == 1
    assert round(100 * cached(kept) / prompts(kept)) == 81

    behind = through_the_router(proof, r"s/{RULE \* 76}{case}/{case}{RULE * 76}/", "manual")
    assert pods_of(behind) > 1
    assert kept_to_one_pod(behind) == 10
    assert round(100 * cached(behind) / prompts(behind)) == 82

    # Chance keeps a conversation at its second turn once in three; all ten once in 59,049.
    assert kept_to_one_pod(through_the_router(proof, r"s/SENTENCE \* 76/SENTENCE * 1/")) < 10
    assert kept_to_one_pod(through_the_router(proof, r"s/SENTENCE \* 76/SENTENCE * 3/")) == 10


@proves(
    CONVERSATIONS,
    evidence="computed",
    mutants=[
        Mutant(CONVERSATIONS, "or not address.hostname", "", because="an address has a host"),
        Mutant(CONVERSATIONS, "secrets.choice(", "min(", because="a case must be new"),
        Mutant(CONVERSATIONS, "len(found) == 1", "len(found) >= 1", because="one pod, not several"),
    ],
)
def test_the_program_of_the_experiment_counts_and_refuses(proof: Proof) -> None:
    path = proof.path(CONVERSATIONS)
    program = proof.module(CONVERSATIONS)
    assert len({program.case_file() for _ in range(50)}) == 50
    seen = [
        program.Turn(1, 1, "a", 100, 0),
        program.Turn(1, 2, "a", 100, 80),
        program.Turn(2, 1, "a", 100, 0),
    ]
    seen.append(program.Turn(2, 2, "b", 100, 0))
    assert dict(program.summary(seen)) == {
        "requests": "4",
        "conversations that kept to one pod": "1 of 2",
        "prompt tokens": "400",
        "of these, found in a cache": "80 (20%)",
    }
    assert "is no address such as" in refusal(path, "router:8081")
    assert "is no address such as" in refusal(path, "http://")
    assert "Connection refused" in refusal(path, "http://127.0.0.1:9")
    assert "invalid choice" in refusal(path, "http://127.0.0.1:9", "--variation=other")


@proves(
    KV_CACHE,
    MODELS,
    SIZES,
    evidence="computed",
    mutants=[
        Mutant(KV_CACHE, "keys_and_values = 2", "keys_and_values = 1", because="values count too"),
        Mutant(KV_CACHE, "tokens < 1", "tokens < 0", because="no prompt has no token"),
        Mutant(MODELS, "layers = 80", "layers = 81", because="70B has 80 layers"),
        Mutant(SIZES, "125.0 MiB", "128.0 MiB", because="it is 125"),
    ],
)
def test_a_token_takes_what_the_page_works_out_by_hand(proof: Proof) -> None:
    program = proof.module(KV_CACHE)
    models = {model.name: model for model in program.read_models()}
    by_hand = {
        "Llama 3.1 8B": 2 * 32 * 8 * 128 * 2,
        "Llama 3.1 70B": 2 * 80 * 8 * 128 * 2,
        "DeepSeek-R1": 61 * (512 + 64) * 2,
    }
    assert {name: program.cache_bytes(model, 1) for name, model in models.items()} == by_hand
    assert list(by_hand.values()) == [131_072, 327_680, 70_272]
    for model, tokens, size in itertools.product(models.values(), (1, 2, 999, 128_000), (1, 2, 4)):
        whole = program.cache_bytes(model, tokens, size)
        assert whole == tokens * program.cache_bytes(model, 1, size)
        assert whole == size * program.cache_bytes(model, tokens, 1)
        assert program.cache_bytes(model, tokens + 1, size) > whole > 0
    for tokens, size in ((0, 2), (-1, 2), (1, 0)):
        with pytest.raises(ValueError, match="whole numbers from 1 on"):
            program.cache_bytes(models["DeepSeek-R1"], tokens, size)
    # The fourth exercise.
    prompt = program.cache_bytes(models["Llama 3.1 70B"], 8_000)
    assert (prompt, 40 * 2**30 // prompt) == (2_500 * program.MIB, 16)
    assert "whole numbers from 1 on" in refusal(proof.path(KV_CACHE), "--tokens=0")
    assert "invalid int value: 'many'" in refusal(proof.path(KV_CACHE), "--tokens=many")
    proof.transcript(SIZES, failing={2})


@proves(
    EXPECTED,
    SHARES,
    evidence="computed",
    mutants=[
        Mutant(EXPECTED, "(turn - 1)", "turn", because="the first turn always misses"),
        Mutant(EXPECTED, "return 1 - 1 / turns", "return 1.0", because="kept or not, the first turn misses"),
        Mutant(EXPECTED, "turns < 1", "turns < 0", because="no turns have no share"),
        Mutant(SHARES, "54%", "64%", because="three pods find 54"),
    ],
)
def test_chance_finds_less_the_more_pods_there_are(proof: Proof) -> None:
    program = proof.module(EXPECTED)
    by_hand = 1 - (1 + 2 / 3 + 4 / 9 + 8 / 27 + 16 / 81 + 32 / 243) / 6
    assert program.found_by_chance(3, 6) == pytest.approx(by_hand)
    for turns_of_one in (1, 2, 6, 50):
        kept = program.found_when_kept(turns_of_one)
        shares = [program.found_by_chance(pods, turns_of_one) for pods in range(1, 40)]
        assert shares[0] == pytest.approx(kept)
        assert all(0 <= later <= earlier for earlier, later in itertools.pairwise(shares))
        for pods in (2, 7):
            longer = program.found_by_chance(pods, turns_of_one + 1)
            assert (
                program.found_by_chance(pods, turns_of_one)
                <= longer
                < program.found_when_kept(turns_of_one + 1)
            )
    # Of every way that four turns can take over three pods, the share that chance gives.
    ways = list(itertools.product(range(3), repeat=4))
    found = sum(pod in way[:turn] for way in ways for turn, pod in enumerate(way))
    assert program.found_by_chance(3, 4) == pytest.approx(found / (4 * len(ways)))
    # The fifth exercise.
    assert program.found_by_chance(6, 23) < 0.75 <= program.found_by_chance(6, 24) < 0.755
    assert round(100 * program.found_when_kept(24)) == 96
    assert "at least one turn" in refusal(proof.path(EXPECTED), "0")
    proof.transcript(SHARES)


# What it is made of


#: Kind and name in the drawing, in the words of the cluster.
PART = re.compile(
    r"(Deployment|Service|InferencePool|ConfigMap|ServiceAccount|RoleBinding|Role) ([a-z0-9-]+)"
)
CONTAINER = re.compile(r"container ([a-z-]+)")
#: What Kubernetes puts into every namespace.
EVERYWHERE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
#: Kustomize appends a hash of a ConfigMap's content.
HASH = re.compile(r"-[a-z0-9]{10}$")


def parts_of_the_namespace(proof: Proof) -> Iterator[tuple[str, str]]:
    """Yield kind and name of every object that the drawing may show."""
    kinds = ("Deployment", "Service", "InferencePool", "ConfigMap", "ServiceAccount", "RoleBinding", "Role")
    for kind in kinds:
        for one in proof.objects(kind.lower(), namespace="first-look"):
            name = one["metadata"]["name"]
            yield kind, HASH.sub("", name) if kind == "ConfigMap" else name


@proves(
    PARTS,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    mutants=[
        Mutant(PARTS, "service/sim\n", "", because="a Service is missing"),
    ],
)
def test_the_drawing_of_the_parts_shows_what_the_cluster_holds_and_nothing_else(proof: Proof) -> None:
    proof.transcript(PARTS)
    text = drawing("fig-parts")
    assert set(PART.findall(text)) == set(parts_of_the_namespace(proof)) - EVERYWHERE
    containers = {
        container["name"]
        for one in proof.objects("deployment", namespace="first-look")
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert set(CONTAINER.findall(text)) == containers
    pods = proof.objects("pod", "app=sim", namespace="first-look")
    assert len(pods) == 3


@proves(
    TRACE,
    TRACED,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    router=">=0.10",
    mutants=[
        Mutant(TRACE, "llm_d_epp_scheduler", "llm_d_epp_nothing", because="no metric has that name"),
        Mutant(TRACE, '["h2"]', '["http/1.1"]', because="gRPC is spoken over HTTP/2"),
        Mutant(TRACE, "router, 9090", "router, 9002", because="metrics are elsewhere"),
        Mutant(TRACED, "counted 1 decision", "counted 2 decision", because="it was one request"),
    ],
)
def test_one_request_leaves_a_trace_at_every_station(proof: Proof) -> None:
    proof.transcript(TRACED)
    with pytest.raises(CommandFailed, match="Two hosts, please"):
        in_the_client(proof, "{client} python3 - router.first-look < trace.py")
    with pytest.raises(CommandFailed, match=r"nowhere: \[Errno -\d\]"):
        in_the_client(proof, "{client} python3 - router.nowhere sim.nowhere < trace.py")


# What else there is


@proves(
    PLATFORMS,
    TABLES,
    evidence="computed",
    mutants=[
        Mutant(PLATFORMS, '"yes, by llm-d", "kserve-tutorials"', '"yes, by llm-d", ""', because="no source"),
        Mutant(
            PLATFORMS,
            '"as a tutorial", "production-stack-pd", 2026-11-26',
            '"as a tutorial", "production-stack-pd"',
            because="no date",
        ),
        Mutant(PLATFORMS, '"experimental"', '"yes"', because="the page says otherwise"),
        Mutant(
            TABLES,
            "case [str(text), str(source), date()] if",
            "case [str(text), str(source), *_] if",
            because="a cell without date passes",
        ),
    ],
)
def test_the_tables_of_platforms_are_made_from_cells_with_source_and_date(
    proof: Proof, tmp_path: Path
) -> None:
    program, data = proof.module(TABLES), tomllib.loads(proof.path(PLATFORMS).read_text())
    assert list(program.faults(data)) == []
    page = PAGE.read_text(encoding="utf-8")
    for questions in (["what", "engines", "kubernetes", "write"], ["choice", "split", "scaling"]):
        assert "\n".join(program.table(data, questions)) in page, "run `python3 platforms.py` again"
    bibliography = (ROOT / "source/references.bib").read_text(encoding="utf-8")
    sources = {cell[1] for row in data["platforms"].values() for cell in row.values()}
    assert [source for source in sorted(sources) if f"{{{source}," not in bibliography] == []
    copy = Path(shutil.copytree(proof.path(TABLES).parent, tmp_path / CHAPTER), "platforms.py")
    text = copy.with_suffix(".toml").read_text()
    cell = '["experimental", "vllm-disagg", 2026-11-26]'
    for worse in (
        '["experimental", "vllm-disagg"]',
        '["experimental", "", 2026-11-26]',
        '["", "x", 2026-11-26]',
    ):
        copy.with_suffix(".toml").write_text(text.replace(cell, worse))
        assert refusal(copy) == "vLLM alone, split: text, source, date wanted"
    copy.with_suffix(".toml").write_text(text.replace(f"split = {cell}\n", ""))
    assert refusal(copy) == "vLLM alone, split: no answer"
    assert "is not asked" in refusal(copy, "price")


@proves(
    SAME_ANSWER,
    COMPARED,
    evidence="ran",
    uses=USES,
    needs=FLEET,
    mutants=[
        Mutant(SAME_ANSWER, '{"id", "created"}', "set()", because="ids differ"),
        Mutant(SAME_ANSWER, '"lab/nobody"', '"lab/sim-8b"', because="that one is served"),
        Mutant(COMPARED, "a chat ", "a talk ", because="another request"),
    ],
)
def test_the_same_request_is_answered_alike_with_and_without_the_router(proof: Proof) -> None:
    proof.transcript(COMPARED)
    with pytest.raises(CommandFailed, match="Two addresses, please"):
        in_the_client(proof, f"{{client}} python3 - {SERVICE} < same_answer.py")


# When to choose it


def ends(tree: dict[str, Any], name: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every way from a name to a leaf, as steps of (name, answer), the leaf with an empty one."""
    if name in tree["leaves"]:
        yield ((name, ""),)
        return
    for answer in ("yes", "no"):
        for rest in ends(tree, tree["questions"][name][answer]):
            yield ((name, answer), *rest)


@proves(
    TREE,
    TEAMS,
    CHOOSE,
    CHOSEN,
    evidence="computed",
    mutants=[
        Mutant(
            TREE,
            'yes = "one-engine"\nno = "kubernetes"',
            'no = "one-engine"\nyes = "kubernetes"',
            because="one server needs no router",
        ),
        Mutant(TREE, 'llm_d = "yes"', 'llm_d = "no"', because="one leaf is llm-d"),
        Mutant(TEAMS, 'leaf = "service"', 'leaf = "llm-d"', because="a Service will do there"),
        Mutant(CHOOSE, "[answer(name)]", '["yes"]', because="answers must count"),
        Mutant(CHOSEN, "-> llm-d", "-> vLLM", because="it leads to llm-d"),
    ],
)
def test_twelve_teams_reach_their_leaves_and_every_leaf_is_reached(proof: Proof) -> None:
    program = proof.module(CHOOSE)
    tree, teams = program.read_tree(), tomllib.loads(proof.path(TEAMS).read_text())["teams"]
    assert len({team["situation"] for team in teams}) == 12
    for team in teams:
        *asked, leaf = program.walk(tree, lambda name, answers=team["answers"]: answers.get(name, "no"))
        assert (asked, leaf) == (list(team["answers"]), team["leaf"]), team["situation"]
    assert {team["leaf"] for team in teams} == set(tree["leaves"])
    ways = list(ends(tree, tree["ask"]))
    assert {way[-1][0] for way in ways} == set(tree["leaves"])
    assert {name for way in ways for name, answer in way if answer} == set(tree["questions"])
    assert Counter(leaf["llm_d"] for leaf in tree["leaves"].values()) == {"no": 4, "part": 3, "yes": 1}
    proof.transcript(CHOSEN)
    path = proof.path(CHOOSE)
    assert refusal(path, "yes", "maybe").endswith("Answer yes or no, not 'maybe'.")
    assert refusal(path, "yes").endswith("Answer yes or no, not 'nothing'.")
    assert refusal(path, "no", "no") == "After 1 answers, 'no' is idle."
    assert refusal(path) == "No answer, no advice."


# What the page says of all this


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    tree = tomllib.loads((ROOT / "examples" / TREE).read_text())
    text = drawing("fig-choose")
    spoken = {
        name: label.replace("<br/>", " ") for name, label in re.findall(r'([\w-]+)[(\[]"([^"]*)"', text)
    }
    texts = {**tree["questions"], **tree["leaves"]}
    assert spoken == {name: one["text"] for name, one in texts.items()}
    edges = {
        (start, answer, end)
        for start, answer, end in re.findall(
            r"([\w-]+) -->\|(\w+)\| ([\w-]+)", re.sub(r'[(\[]"[^"]*"[)\]]', "", text)
        )
    }
    assert edges == {
        (name, answer, one[answer]) for name, one in tree["questions"].items() for answer in ("yes", "no")
    }


def test_the_page_prints_the_recorded_numbers() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    table = page[page.index(":name: tab-two-ways") :]
    table = table[: table.index("```")]
    service, router = recorded["service"], recorded["router"]
    for found in (service, router):
        share = cached(found) / prompts(found)
        assert f"- {kept_to_one_pod(found)} of 10\n" in table
        assert f"- {cached(found):,} ({share:.0%})\n" in table
        counts = sorted(Counter(turn["pod"] for turn in found).values(), reverse=True)
        assert f"- {', '.join(map(str, counts))}\n" in table
        assert f"- {prompts(found) - cached(found):,}\n" in table
    by_router, by_service = cached(router), cached(service)
    assert f"{by_router:,} tokens were found in a cache, through the Service {by_service:,}: " in page
    assert f"the difference of {by_router - by_service:,} " in page
    assert kept_to_one_pod(router) == 10
    assert kept_to_one_pod(service) <= 2
