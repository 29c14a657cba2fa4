"""Do add-ons stay within a host's memory, and are those that share needs used together?"""

from __future__ import annotations

import random
import tomllib

import pytest

from lab import addons, budget
from lab.budget import Plan
from lab.errors import NotAvailable

LARGE = 2**20
SPECS = [*addons.names(), "fleet:replicas=20", "vllm:replicas=3", "router:namespace=told,replicas=9"]
Needs = list[frozenset[str]]


@pytest.mark.parametrize("name", addons.names())
def test_every_addon_declares_memory_and_pods(name: str) -> None:
    row = tomllib.loads((addons.FOLDERS / name / "addon.toml").read_text())
    for numbers in (row, *row.get("each", {}).values()):
        assert all(type(numbers[key]) is int and numbers[key] >= 0 for key in ("memory", "pods"))
    assert row.get("each", {}).keys() <= addons.find(name).parameters.keys()
    makes_pods = addons.find(name).images or row.get("includes")
    assert bool(budget.cost([name]).pods) == bool(makes_pods or row.get("needs"))


def test_what_is_included_and_needed_counts_and_replicas_multiply() -> None:
    fleet, router, keda = (budget.cost([name]) for name in ("fleet", "router:replicas=2", "keda"))
    assert router.pods == fleet.pods + 1
    assert router.memory > fleet.memory
    assert keda.memory > budget.cost(["prometheus"]).memory
    assert budget.cost(["keda", "prometheus"]) == keda
    assert budget.cost(["vllm:replicas=3"]).memory == 3 * budget.cost(["vllm"]).memory


def drawn(seed: int) -> tuple[Needs, int, list[str]]:
    """Return sets of needs, a host's memory and what runs there, drawn at random."""
    draw = random.Random(seed)  # noqa: S311 - examples, no secret
    needs = [frozenset(draw.sample(SPECS, draw.choice([0, 1, 1, 2, 3]))) for _ in range(draw.randint(1, 25))]
    return (
        needs,
        draw.choice([6100, 6500, 7000, 9000, 12000, 16000, 24000, LARGE]),
        draw.sample(addons.names(), 2),
    )


def run(plan: Plan, running: list[str], memory: int) -> int:
    """Follow a plan as a run of proofs does; return how many add-ons were started."""
    there = {addon.namespace: addon for addon in addons.with_needs(running)}
    starts = 0
    for place, group in enumerate(plan.groups):
        for spec in group.remove:
            gone = there.pop(addons.find(spec).namespace)
            assert gone.namespace not in {one.namespace for one in addons.with_needs(group.needs)}
        for spec in group.start:
            addon = addons.find(spec)
            assert there.get(addon.namespace) != addon
            there[addon.namespace] = addon
            starts += 1
            assert {one.namespace for one in addons.with_needs([spec])} <= there.keys(), "needs come first"
        assert all(there[one.namespace] == one for one in addons.with_needs(sorted(group.needs)))
        for addon in there.values():
            assert {one.namespace for one in addons.with_needs(addon.needs)} <= there.keys(), (
                "nothing dangles"
            )
        assert budget.cost(addon.spec for addon in there.values()).fits(memory)
        rest = [spec for later in plan.groups[place:] for spec in later.needs]
        wanted = {one.namespace for one in addons.with_needs(rest)}
        assert there.keys() <= wanted, "what no group needs any more is gone"
    return starts


@pytest.mark.parametrize("seed", range(60))
def test_a_plan_serves_every_set_once_and_never_leaves_the_budget(seed: int) -> None:
    needs, memory, running = drawn(seed)
    plan = budget.plan(needs, memory, running)
    served = [group.needs for group in plan.groups]
    assert len(served) == len(set(served))
    assert {*served} | plan.skipped.keys() == {*needs}
    assert not {*served} & plan.skipped.keys()
    for one in {*needs}:
        assert budget.cost(sorted(one)).fits(memory) == (one not in plan.skipped)
    starts = run(plan, running, memory)
    if memory == LARGE:
        distinct = {(one.namespace, str(one.parameters)) for part in needs for one in addons.with_needs(part)}
        assert starts <= len(distinct), "with memory enough, everything is started once"


def test_proofs_that_need_the_same_come_together_when_not_all_fits() -> None:
    small, tall = "vllm:replicas=2", "vllm-router:replicas=2"
    needs = [
        frozenset(words) for words in ([small], [tall], [small, "redis"], [tall, "redis"], [small, "lws"])
    ]
    memory = 14000
    assert not budget.cost([small, tall]).fits(memory)
    plan = budget.plan(needs, memory)
    assert not plan.skipped
    started = [spec for group in plan.groups for spec in group.start]
    assert started.count(small) == started.count(tall) == 1
    assert run(plan, [], memory) <= 5


def test_what_must_give_way_is_started_again_later() -> None:
    one, two, three = (f"vllm:namespace={name}" for name in ("one", "two", "three"))
    needs = [frozenset(pair) for pair in ((one, two), (two, three), (one, three))]
    plan = budget.plan(needs, 15000)
    assert not budget.cost([one, two, three]).fits(15000)
    assert run(plan, [], 15000) == 4
    assert [len(group.remove) for group in plan.groups] == [0, 1, 1]


def test_sets_that_a_host_is_too_small_for_are_named_before_anything_starts() -> None:
    large = frozenset(["redis", "vllm"])
    plan = budget.plan([large, frozenset(["redis"])], 8192)
    assert [group.needs for group in plan.groups] == [frozenset(["redis"])]
    assert plan.skipped == {
        large: "The add-on vllm takes 4.0 GiB of memory, needs included; this host has 8.0 GiB, 2.8 GiB "
        "of it for add-ons. Ask for fewer replicas, or use a larger host."
    }
    assert "lab's nodes have place for 300" in budget.over_budget("fleet:replicas=400", LARGE)
    assert budget.over_budget("vllm", 24000) == ""


def test_an_addon_over_the_budget_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "host_memory_mib", lambda: 8192)
    budget.require("fleet")
    with pytest.raises(NotAvailable, match=r"^The add-on vllm takes 4\.0 GiB"):
        budget.require("vllm")
