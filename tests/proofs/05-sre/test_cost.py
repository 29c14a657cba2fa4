"""What does a million tokens cost, and how many pod hours does a night save?"""

from __future__ import annotations

import itertools

import pytest
import yaml

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

chapter = chapter_of(__file__)
COST = chapter["cost.py"]
SHEET = chapter["costs.toml"]
PRINTED = chapter["cost.console"]
SHARED = chapter["cost-shared.console"]
POD_HOURS = chapter["pod_hours.py"]
SCHEDULE = chapter["night-schedule.yaml"]
HOURS_PRINTED = chapter["pod-hours.console"]


@proves(
    COST,
    SHEET,
    PRINTED,
    SHARED,
    evidence="computed",
    mutants=[
        Mutant(COST, "(1 - fleet.utilization)", "fleet.utilization", because="idle is what wasn't served"),
        Mutant(COST, "idle * kept", "idle * used", because="idle GPUs are kept for who reserved them"),
        Mutant(SHARED, "$27.45", "$19.15", because="who reserves half pays half of the idle time"),
        Mutant(COST, "fleet.throughput * 3600", "fleet.throughput * 60", because="a price is for an hour"),
        Mutant(COST, "3600 * fleet.utilization", "3600", because="what isn't served is paid, too"),
        Mutant(COST, "return [min(found), max(found)]", "return [found[0], found[-1]]", because="both ends"),
        Mutant(COST, "together = pulled(together, lever)", "together = other", because="levers add up"),
        Mutant(
            COST, 'if not lever["source"]', 'if "source" not in lever', because="no saving without a source"
        ),
        Mutant(COST, "not 0 < self.utilization <= 1", "self.utilization <= 0", because="2 is no share"),
        Mutant(SHEET, "to = 14092", "to = 7046", because="the report has 14,092 in the middle"),
        Mutant(SHEET, "times = 1.75", "times = 17.5", because="1,008 / 576"),
        Mutant(PRINTED, "-53%", "-43%", because="6,645 against 14,092"),
    ],
)
def test_a_token_costs_what_the_page_works_out_by_hand(proof: Proof) -> None:
    program = proof.module(COST)
    fleet = program.Fleet(gpus=16, price=3.99, throughput=6645, utilization=0.35)
    assert program.cost(fleet) == pytest.approx(16 * 3.99 / (6645 * 3600 * 0.35) * 1e6)
    sheet = program.read_sheet(proof.path(SHEET))
    ranges = {name: sheet[name]["range"] for name in program.INPUTS}
    low, high = program.interval(16, ranges)
    assert low == pytest.approx(16 * 2.69 / (7049 * 3600 * 0.5) * 1e6)
    assert high == pytest.approx(16 * 6.88 / (6228 * 3600 * 0.2) * 1e6)
    for gpus, price, speed, share in itertools.product((1, 16), (0.5, 12), (100, 9000), (0.01, 0.5, 1)):
        one = program.Fleet(gpus, price, speed, share)
        assert program.cost(one) > 0
        # Twice the price costs twice as much, and twice the tokens half.
        assert program.cost(program.Fleet(gpus, 2 * price, speed, share)) == pytest.approx(
            2 * program.cost(one)
        )
        assert program.cost(program.Fleet(gpus, price, 2 * speed, share)) == pytest.approx(
            program.cost(one) / 2
        )
        # What the teams pay is what the fleet costs.
        shares = [(0.3, 0.5), (0.6, 0.5), (0.1, 0.0)]
        assert sum(map(sum, program.bills(one, shares))) == pytest.approx(gpus * price)
        # At the utilization of the break-even, both cost the same.
        even = program.break_even(one, 2 * program.cost(program.Fleet(gpus, price, speed, 1.0)))
        assert even == pytest.approx(0.5)
    # What the sheet calls a report: the tokens a second at its eight rates from 40 to 60.
    service = sorted((6228, 6860, 6526, 6956, 7049, 6402, 6317, 6764))
    router = sorted((14134, 13522, 14050, 14941, 14542, 14607, 13451, 13528))
    assert ranges["throughput"] == [service[0], sum(service[3:5]) / 2, service[-1]]
    levers = {one["changes"]: one for one in sheet["levers"]}
    assert levers["throughput"]["to"] == sum(router[3:5]) / 2
    assert levers["utilization"]["times"] == 1008 / 576
    for wrong in ((0, 1, 1, 0.5), (1, 0, 1, 0.5), (1, 1, 0, 0.5), (1, 1, 1, 0), (1, 1, 1, 2)):
        with pytest.raises(ValueError, match=r"above 0|is a share"):
            program.Fleet(*wrong)
    path, file = proof.path(COST), proof.path(SHEET)
    # The example of the page: 63.84 dollars an hour, 35% of it for tokens.
    (first, second) = program.bills(fleet, [program.team("30/50"), program.team("70/50")])
    assert first == pytest.approx((63.84 * 0.35 * 0.3, 63.84 * 0.65 * 0.5))
    assert second == pytest.approx((63.84 * 0.35 * 0.7, 63.84 * 0.65 * 0.5))
    assert "above 0" in refusal(path, "--bought=0")
    assert "100 percent together" in refusal(path, "--teams", "30/50", "60/50")
    for wrong_team in ("30", "a/b", "30/150", "30/50/20"):
        assert "--teams" in refusal(path, "--teams", wrong_team)
    written = file.read_text()
    for old, new, words in (
        ('source = "as above"', 'source = ""', "has no source"),
        ('source = "as above"', "", "'source' is missing"),
        ("gpus = 16", "", "'gpus' is missing"),
        ("range = [0.2, 0.35, 0.5]", "range = [0.2, 3.5, 5]", "is a share, not 3.5"),
        ("range = [2.69, 3.99, 6.88]", "range = [6.88, 3.99, 2.69]", "not in order"),
        ("range = [2.69, 3.99, 6.88]", 'range = ["a", "b", "c"]', "costs.toml: "),
        ('changes = "price"', 'changes = "mood"', "changes none of"),
        ("times = 1.75", "", "has not one of"),
    ):
        assert old in written
        file.write_text(written.replace(old, new))
        assert words in refusal(path)
    file.write_text(written)
    proof.transcript(PRINTED)
    proof.transcript(SHARED)


@proves(
    POD_HOURS,
    HOURS_PRINTED,
    evidence="computed",
    mutants=[
        Mutant(POD_HOURS, "(day - 1) % DAYS", "day % DAYS", because="1 is Monday"),
        Mutant(POD_HOURS, "min((end - start) % week", "max((end - start) % week", because="the next end"),
        Mutant(POD_HOURS, "max([least,", "min([least,", because="the most of all triggers counts"),
        Mutant(POD_HOURS, "int(found[1]) >= HOURS", "int(found[1]) > HOURS", because="no day has an hour 24"),
        Mutant(POD_HOURS, 'trigger["type"] != "cron"', 'trigger["type"] == ""', because="load has no clock"),
        Mutant(HOURS_PRINTED, "576", "567", because="12 x 5 x 6 + 108 x 2"),
    ],
)
def test_a_week_has_as_many_pod_hours_as_counted_by_hand(proof: Proof) -> None:
    program = proof.module(POD_HOURS)
    scaled = yaml.safe_load(proof.path(SCHEDULE).read_text())
    week = program.pods_by_hour(scaled)
    assert sum(map(sum, week)) == 12 * 5 * 6 + (7 * 24 - 60) * 2 == 576
    assert [hour for hour, pods in enumerate(week[0]) if pods == 6] == list(range(7, 19))
    assert {pods for day in week[5:] for pods in day} == {2}
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    # Over midnight, and from Sunday to Monday.
    trigger |= {"start": "0 22 * * *", "end": "0 6 * * *"}
    week = program.pods_by_hour(scaled)
    assert [hour for hour, pods in enumerate(week[0]) if pods == 6] == [*range(6), 22, 23]
    trigger |= {"start": "0 0 * * 6-7", "end": "0 0 * * 0-1"}
    week = program.pods_by_hour(scaled)
    assert [sum(day) for day in week] == [48, 48, 48, 48, 48, 6 * 24, 6 * 24]
    # Of two triggers, the larger one counts, up to the maximum.
    scaled["spec"]["triggers"] = [
        {"type": "cron", "metadata": {"start": "0 0 * * *", "end": "0 12 * * *", "desiredReplicas": number}}
        for number in ("3", "9")
    ]
    assert program.pods_by_hour(scaled)[3] == [6] * 12 + [2] * 12
    for cron in ("0 7 * * MON", "*/5 7 * * *", "30 7 * * *", "0 24 * * *", "0 7 * * 5-1", ""):
        with pytest.raises(ValueError, match=r"is not such as|before it begins"):
            list(program.moments(cron))
    path, file = proof.path(POD_HOURS), proof.path(SCHEDULE)
    written = file.read_text()
    for old, new, words in (
        ("type: cron", "type: prometheus", "follows no clock"),
        ("        end: 0 19 * * 1-5\n", "", "'end' is missing"),
        ('desiredReplicas: "6"', "desiredReplicas: six", "invalid literal"),
        ("spec:", "spec", "night-schedule.yaml: "),
    ):
        file.write_text(written.replace(old, new))
        assert words in refusal(path)
    file.write_text(written)
    proof.transcript(HOURS_PRINTED)
