"""Does the error budget say what the page works out by hand, and do the alerts keep what it says?"""

from __future__ import annotations

import itertools
import math
import re
import tomllib

import pytest
import yaml

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

chapter = chapter_of(__file__)
BUDGET = chapter["error_budget.py"]
SHEET = chapter["slo.toml"]
PRINTED = chapter["error-budget.console"]


@proves(
    BUDGET,
    SHEET,
    PRINTED,
    evidence="computed",
    mutants=[
        Mutant(BUDGET, "return 1 - objective.target", "return objective.target", because="the rest may fail"),
        Mutant(
            BUDGET, "min(1.0, factor * budget", "max(1.0, factor * budget", because="a share is at most 1"
        ),
        Mutant(BUDGET, "(objective.days * 24)", "objective.days", because="a day has 24 hours"),
        Mutant(
            BUDGET, "if errors > needed else", "if errors >= needed else", because="it has to be exceeded"
        ),
        Mutant(BUDGET, "not 0 < self.target < 1", "not 0 < self.target <= 1", because="no budget is none"),
        Mutant(BUDGET, "not self.days > 0", "self.days < -1", because="no days are no period"),
        Mutant(SHEET, "factor = 14.4", "factor = 14", because="14.4 is what spends 2% in an hour"),
        Mutant(SHEET, "target = 0.995", "target = 0.999", because="0.5% was promised"),
        Mutant(PRINTED, "7.2%", "7.3%", because="14.4 x 0.5%"),
    ],
)
def test_a_budget_becomes_alerts_as_worked_out_by_hand(proof: Proof) -> None:
    program = proof.module(BUDGET)
    promised = program.Objective(target=0.995, days=30)
    assert program.budget(promised) == pytest.approx(0.005)
    assert program.threshold(promised, 14.4) == pytest.approx(0.072)
    # 2% of a month's budget in an hour, 5% in six, 10% in three days.
    by_hand = {(14.4, 1): 0.02, (6, 6): 0.05, (1, 72): 0.10}
    for (factor, hours), share in by_hand.items():
        assert program.spent(promised, factor, hours) == pytest.approx(share)
    _, alerts = program.read_sheet(proof.path(SHEET))
    assert [(one["factor"], one["hours"]) for one in alerts] == list(by_hand)
    assert program.seconds_to_fire(promised, 14.4, 1, 1 / 3) == pytest.approx(777.6)
    for target, days, factor in itertools.product((0.9, 0.995, 0.9999), (7, 30, 90), (1, 6, 14.4)):
        objective = program.Objective(target, days)
        limit = program.threshold(objective, factor)
        assert 0 < limit <= 1
        assert math.isinf(program.seconds_to_fire(objective, factor, 1, limit))
        waits = [program.seconds_to_fire(objective, factor, 1, errors) for errors in (0.3, 0.6, 1.0)]
        assert all(later <= sooner for sooner, later in itertools.pairwise(waits))
        if limit < 1:
            assert 0 < waits[-1] <= 3600
            # What is spent until it fires is never more than the long window's share.
            assert waits[-1] / 3600 <= program.spent(objective, factor, 1) * days * 24
    for target, days in ((0, 30), (1, 30), (1.5, 30), (-1, 30), (0.99, 0), (0.99, -1)):
        with pytest.raises(ValueError, match=r"a target is between|a period has days"):
            program.Objective(target, days)
    assert [program.clock(seconds) for seconds in (20, 777.6, 3 * 3600, math.inf)] == [
        "20 s",
        "13 min",
        "3.0 h",
        "never",
    ]
    path, sheet = proof.path(BUDGET), proof.path(SHEET)
    assert "a share above 0 and up to 1" in refusal(path, "--errors=0")
    assert "a share above 0 and up to 1" in refusal(path, "--errors=33")
    assert "No such file" in refusal(path, "nowhere.toml")
    written = sheet.read_text()
    for old, new, words in (
        ("target = 0.995", "", "'target' is missing"),
        ("target = 0.995", "target = 99.5", "between 0 and 1, not 99.5"),
        ("days = 30", "days = true days", "slo.toml: "),
        ("factor = 6", 'factor = "six"', "could not convert"),
    ):
        sheet.write_text(written.replace(old, new))
        assert words in refusal(path)
    sheet.write_text(written)
    proof.transcript(PRINTED)


def test_the_rules_use_the_thresholds_of_the_sheet() -> None:
    folder = chapter.root / "examples"
    sheet = tomllib.loads((folder / SHEET).read_text())
    groups = yaml.safe_load((folder / chapter["slo-rules.yaml"]).read_text())["groups"]
    rules = {
        rule.get("alert", rule.get("record")): rule["expr"] for group in groups for rule in group["rules"]
    }
    found = {name: re.findall(r"ratio_rate(\w+) > ([\d.]+) \* ([\d.]+)", one) for name, one in rules.items()}
    assert {name: one for name, one in found.items() if one} == {
        "HelpDeskBurnsFast": [("1h", "14.4", "0.005"), ("5m", "14.4", "0.005")],
        "HelpDeskBurnsSteadily": [("6h", "6", "0.005"), ("30m", "6", "0.005")],
        "HelpDeskBurnsSlowly": [("3d", "1", "0.005"), ("6h", "1", "0.005")],
    }
    assert sheet["target"] == 1 - 0.005
    assert sheet["first_token"] == {"seconds": 2, "target": 0.95}
    assert 'le=~"2|2[.]0"' in rules["help_desk:late:ratio_rate1h"]
    assert rules["HelpDeskStartsLate"] == "help_desk:late:ratio_rate1h > 0.05"
