"""Whether the harness keeps its promises on a real cluster.

Each test is a small project of its own, run by pytest inside pytest, in the lab.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from lab.edition import PROJECT, images
from lab.home import home
from proofs.connection import Connection
from proofs.failures import Missing
from proofs.namespaces import path
from proofs.records import load_records
from proofs.waiting import wait_until
from tests.harness.conftest import SERVER, STRICT

pytestmark = pytest.mark.cluster

LAB_HOME = str(home())
IMAGE = images()["simulator"].name
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: llm-d
data:
  model: demo
"""
HEAD = """
    import httpx
    from proofs.api import Mutant, proves
"""
SETTINGS_PROOF = """
    @proves(
        "01-demo/settings.yaml",
        evidence="ran",
        mutants=[Mutant("01-demo/settings.yaml", "demo", "other", because="another model")],
    )
    def test_settings(proof):
        proof.apply("01-demo/settings.yaml")
        assert proof.get("configmap", "settings")["data"] == {"model": "demo"}
"""
REFUSED_PROOF = """
    @proves(
        "01-demo/refused/fault.yaml",
        evidence="refused",
        mutants=[Mutant("01-demo/refused/fault.yaml", {fault}, because="it is repaired")],
    )
    def test_refused(proof):
        proof.refused("01-demo/refused/fault.yaml")
"""
TRANSCRIPT_PROOF = """
    @proves(
        "01-demo/look.console",
        evidence="ran",
        mutants=[
            Mutant("01-demo/look.console", "settings   1", "settings   2", because="two keys"),
            Mutant("01-demo/look.console", "settings -n", "setting -n", because="no object"),
        ],
    )
    def test_look(proof):
        proof.apply("01-demo/settings.yaml")
        proof.transcript("01-demo/look.console")
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture(autouse=True)
def _in_the_lab(pytestconfig: pytest.Config) -> None:
    """Leave your own cluster alone."""
    if pytestconfig.option.context:
        pytest.skip("tests the harness itself, in the lab")


@pytest.fixture
def examples(pytester: pytest.Pytester) -> Path:
    """Return the folder of a project's only chapter."""
    pytester.makeini(STRICT)
    folder = pytester.path / "examples/01-demo"
    (folder / "refused").mkdir(parents=True)
    (folder / "settings.yaml").write_text(SETTINGS)
    return folder


@pytest.fixture
def run(pytester: pytest.Pytester, examples: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the project's proofs."""
    assert examples.is_dir()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    # pytester gives its runs another home folder, which has no lab; what they prove stays in it.
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", LAB_HOME)
    for module in ("plugin", "memory"):
        monkeypatch.setattr(f"proofs.{module}.proved_here", lambda: pytester.path / "proved")

    def run_proofs(proofs: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_demo=HEAD + proofs)
        pytester.plugins = []
        return pytester.runpytest_inprocess("-ra", *arguments)

    return run_proofs


def test_a_server_is_applied_awaited_and_reached(run: Run, examples: Path) -> None:
    (examples / "sim.yaml").write_text(SERVER)
    result = run(
        """
    @proves(
        "01-demo/sim.yaml",
        evidence="ran",
        uses=["simulator"],
        mutants=[
            Mutant("01-demo/sim.yaml", "--model=demo", "--model=other", because="another model"),
            Mutant("01-demo/sim.yaml", "--port=8000", "--port=8001", because="it is never ready"),
            Mutant("01-demo/sim.yaml", "drop: [ALL]", "drop: []", because="it keeps its rights"),
        ],
    )
    def test_sim(proof):
        proof.apply("01-demo/sim.yaml")
        proof.wait("deployment", "sim", "Available", deadline=60)
        with proof.forward("service/sim", 80) as url:
            answer = httpx.get(f"{url}/v1/models", timeout=5)
            assert answer.json()["data"][0]["id"] == "demo"
        assert "demo" in proof.logs("deployment/sim")
    """,
        "--record",
    )
    result.assert_outcomes(passed=4)
    record = load_records(examples.parent.parent)["01-demo/sim.yaml"]
    assert set(record.environments[0]) == {"cluster", "kubernetes", "simulator", "date"}
    assert [one.killed_by.split(":")[0] for one in record.mutants] == ["assertion", "deadline", "assertion"]


PICTURED = """
    @proves(
        "01-demo/sim.yaml",
        "01-demo/models.png",
        evidence="ran",
        mutants=[Mutant("01-demo/sim.yaml", "--model=demo", "--model=other", because="another model")],
    )
    def test_models(proof):
        proof.apply("01-demo/sim.yaml")
        proof.wait("deployment", "sim", "Available", deadline=60)
        with proof.forward("service/sim", 80) as url:
            proof.screenshot("01-demo/models.png", f"{url}/v1/models", shows=['WORDS'])
"""


def test_a_picture_is_kept_while_the_page_shows_its_words(run: Run, examples: Path) -> None:
    (examples / "sim.yaml").write_text(SERVER)
    proof = PICTURED.replace("WORDS", '"id":"demo"')
    run(proof).stdout.fnmatch_lines(["*models.png is no picture of *take it with --record*"])
    run(proof, "--record").assert_outcomes(passed=2)
    taken = (examples / "models.png").read_bytes()
    record = load_records(examples.parent.parent)["01-demo/models.png"]
    assert record.sha256 == sha256(taken).hexdigest()
    assert [one.because for one in record.mutants] == ["another model"]
    run(proof, "--record").assert_outcomes(passed=2)
    assert (examples / "models.png").read_bytes() == taken
    result = run(PICTURED.replace("WORDS", "no such words"), "--record", "-k", "not mutant")
    result.stdout.fnmatch_lines(["*v1/models does not show 'no such words'. It shows: *demo*"])
    assert (examples / "models.png").read_bytes() == taken


@pytest.mark.parametrize(
    ("text", "fault", "message"),
    [
        (
            SETTINGS + "date: demo\n",
            '"date: demo", ""',
            'strict decoding error: unknown field "date"',
        ),
        (
            SETTINGS + "  model: other\n",
            '"  model: other", ""',
            'key "model" already set in map',
        ),
        (
            SETTINGS.replace("ConfigMap", "ConfigMop"),
            '"ConfigMop", "ConfigMap"',
            'no matches for kind "ConfigMop" in version "v1"',
        ),
        (
            SETTINGS.replace("name: settings", "name: Settings"),
            '"Settings", "settings"',
            'ConfigMap "Settings" is invalid: metadata.name',
        ),
    ],
    ids=["unknown field", "duplicate key", "unknown kind", "invalid name"],
)
def test_a_refusal_is_recorded_and_then_compared(
    run: Run, examples: Path, text: str, fault: str, message: str
) -> None:
    (examples / "refused/fault.yaml").write_text(text)
    answer = examples / "refused/fault.refusal"
    proof = REFUSED_PROOF.replace("{fault}", fault)
    run(proof).assert_outcomes(failed=1, skipped=1)
    run(proof, "--record").assert_outcomes(passed=2)
    assert load_records(examples.parent.parent)["01-demo/refused/fault.yaml"].answered_by == "The API server"
    assert message in answer.read_text()
    run(proof).assert_outcomes(passed=2)
    answer.write_text("refused\n")
    result = run(proof)
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*was refused with another message than fault.refusal*"])


ANSWERED = """
    @proves("01-demo/refused/fault.yaml", evidence="refused",
            mutants=[Mutant("01-demo/refused/fault.yaml", "old", "new", because="it is repaired")])
    def test_refused(proof):
        listing = "01-demo/refused/fault.yaml"
        proof.answered(listing, "No " + proof.path(listing).read_text(), by="The chart")
"""


def test_who_refused_is_what_the_proof_says(run: Run, examples: Path) -> None:
    (examples / "refused/fault.yaml").write_text("name: old\n")
    run(ANSWERED, "--record").assert_outcomes(passed=2)
    record = load_records(examples.parent.parent)["01-demo/refused/fault.yaml"]
    assert (record.evidence, record.answered_by) == ("refused", "The chart")
    assert (examples / "refused/fault.refusal").read_text() == "No name: old\n"


def test_a_component_that_was_not_seen_at_work_is_an_error(run: Run) -> None:
    result = run(SETTINGS_PROOF.replace("mutants=", 'uses=["simulator"], mutants='))
    result.stdout.fnmatch_lines(["*uses=?'simulator'? was not seen at work in the run: take it out of*"])


def test_a_transcript_is_recorded_and_then_compared(run: Run, examples: Path) -> None:
    transcript = examples / "look.console"
    transcript.write_text("$ kubectl get configmap settings -n llm-d\n")
    run(TRANSCRIPT_PROOF, "--record").assert_outcomes(passed=3)
    recorded = transcript.read_bytes()
    assert re.search(rb"NAME +DATA +AGE\nsettings +1 +\d+s\n", recorded)
    run(TRANSCRIPT_PROOF, "--record").assert_outcomes(passed=3)
    run(TRANSCRIPT_PROOF).assert_outcomes(passed=3)
    assert transcript.read_bytes() == recorded
    (examples / "settings.yaml").write_text(SETTINGS + "  name: demo\n")
    result = run(TRANSCRIPT_PROOF)
    result.stdout.fnmatch_lines(["*-settings  1  <age>", "*+settings  2  <age>"])


def test_times_in_a_transcript_are_kept_until_they_are_renewed(run: Run, examples: Path) -> None:
    transcript = examples / "look.console"
    transcript.write_text("$ kubectl get configmap settings -n llm-d\n")
    run(TRANSCRIPT_PROOF, "--record").assert_outcomes(passed=3)
    guessed = re.sub(r"\d+s\n", "987d\n", transcript.read_text())
    transcript.write_text(guessed)
    run(TRANSCRIPT_PROOF, "--record").assert_outcomes(passed=3)
    assert transcript.read_text() == guessed
    run(TRANSCRIPT_PROOF, "--record", "--refresh").assert_outcomes(passed=3)
    assert "987d" not in transcript.read_text()


def test_a_command_that_must_fail_is_told_apart(run: Run, examples: Path) -> None:
    transcript = examples / "look.console"
    transcript.write_text("$ kubectl get configmap settings -n llm-d\n$ kubectl get pod x\n")
    result = run(TRANSCRIPT_PROOF, "--record")
    result.stdout.fnmatch_lines(["*look.console, command 2: 'kubectl get pod x' exited with 1*"])
    failing = TRANSCRIPT_PROOF.replace('console")\n', 'console", failing=[2])\n')
    run(failing, "--record").assert_outcomes(passed=3)
    assert b'pods "x" not found' in transcript.read_bytes()


def test_objects_are_listed_awaited_and_deleted(run: Run) -> None:
    proof = SETTINGS_PROOF.replace("import Mutant", "import Missing, Mutant")
    body = """
        proof.accepted("01-demo/settings.yaml")
        assert "settings" not in proof.kubectl("get", "configmaps", "--output=name")
        proof.apply("01-demo/settings.yaml")
        found = proof.wait("cm", "settings", lambda found: found["data"] == {"model": "demo"})
        assert found["metadata"]["namespace"] == proof.namespace
        names = [one["metadata"]["name"] for one in proof.objects("configmaps")]
        assert names == ["kube-root-ca.crt", "settings"]
        assert proof.objects("configmaps", selector="app=none") == []
        proof.delete("configmap", "settings")
        assert len(proof.objects("configmaps")) == 1
"""
    run(proof[: proof.index("        proof.apply")].rstrip() + body).assert_outcomes(passed=2)


def test_a_warning_of_the_server_fails_the_proof(run: Run, examples: Path) -> None:
    (examples / "settings.yaml").write_text("apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: settings\n")
    result = run(SETTINGS_PROOF.replace("configmap", "endpoints").replace('"demo"', '"name"'))
    result.stdout.fnmatch_lines(["*ServerWarning: 01-demo/settings.yaml: v1 Endpoints is dep*"])


def test_a_failed_proof_shows_status_events_and_logs(run: Run, examples: Path) -> None:
    (examples / "sim.yaml").write_text(SERVER.replace("--model", "--mode"))
    result = run("""
    @proves("01-demo/sim.yaml", evidence="ran",
            mutants=[Mutant("01-demo/sim.yaml", "demo", "other", because="another model")])
    def test_sim(proof):
        proof.apply("01-demo/sim.yaml")
        proof.wait("deployment", "sim", "Available", deadline=8)
    """)
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*DeadlinePassed: deployment/sim Available: not within 8 s",
            "*Status of the applied objects (proof-*",
            "Deployment/sim:*",
            "*Pods (proof-*",
            "*Events (proof-*",
            "Normal Started Pod/sim-*: *",
            "*log lines of every container (proof-*",
            "*model parameter is empty*",
        ]
    )


def test_what_a_proof_made_outside_its_namespace_goes(
    run: Run, examples: Path, connection: Connection
) -> None:
    name = "life-with-llm-d-demo"
    (examples / "settings.yaml").write_text(
        f"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nvalue: 7\nmetadata:\n  name: {name}\n"
    )
    proof = SETTINGS_PROOF.replace('configmap", "settings', f'priorityclass", "{name}')
    proof = proof.replace('["data"] == {"model": "demo"}', '["value"] == 7')
    proof = proof.replace('"demo", "other"', '"value: 7", "value: 8"')
    run(proof).assert_outcomes(passed=2)
    found = connection.cluster.request("GET", "/apis/scheduling.k8s.io/v1/priorityclasses")
    assert name not in [item["metadata"]["name"] for item in found.content["items"]]


LEAVES = (
    SETTINGS_PROOF.rstrip()
    + """
        {commands}
"""
)


@pytest.mark.parametrize("alone", [True, False])
def test_what_programs_leave_outside_the_namespace_fails_the_proof(
    run: Run, examples: Path, connection: Connection, *, alone: bool
) -> None:
    # Only the name of its namespace keeps other proofs, which run beside, from suspicion.
    name = "life-with-llm-d-alone" if alone else "{proof.namespace}-beside"
    command = f'proof.kubectl("create", "clusterrole", f"{name}", "--verb=get", "--resource=pods")'
    proof = LEAVES.replace("{commands}", command)
    proof = proof.replace("mutants=", f"alone={alone}, mutants=")
    left: list[str] = []
    try:
        result = run(proof, "-k", "not mutant")
        left = re.findall(r"the proof left behind: ClusterRole/([\w-]+)\. Take away ", result.stdout.str())
        result.assert_outcomes(passed=1, errors=1)
        assert not (examples.parent.parent / "records").exists()
    finally:
        for one in left:
            connection.cluster.delete(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{one}")
    assert [re.sub("proof-[0-9a-f]{8}", "{proof.namespace}", one) for one in set(left)] == [name]


def test_a_device_that_is_taken_away_again_leaves_no_trace(run: Run, connection: Connection) -> None:
    node = _a_node(connection)
    body = f"""
        with proof.fake_device("{node}", "rdma/hca", 2), proof.node_labels(
            "{node}", {{"life-with-llm-d/block": "b1"}}
        ):
            carried = proof.get("node", "{node}")
            assert carried["status"]["allocatable"]["rdma/hca"] == "2"
            assert carried["metadata"]["labels"]["life-with-llm-d/block"] == "b1"
    """
    proof = LEAVES.replace("{commands}", body.strip()).replace("mutants=", "alone=True, mutants=")
    run(proof, "-k", "not mutant").assert_outcomes(passed=1)
    after = connection.cluster.request("GET", f"/api/v1/nodes/{node}")
    assert "rdma/hca" not in after.text
    assert "life-with-llm-d/block" not in after.text


def test_a_device_that_stays_is_named(run: Run, connection: Connection) -> None:
    node = _a_node(connection)
    patch = """{"status": {"capacity": {"rdma/stays": "2"}}}"""
    command = f"""proof.kubectl("patch", "node", "{node}", "--subresource=status", '--patch={patch}')"""
    proof = LEAVES.replace("{commands}", command).replace("mutants=", "alone=True, mutants=")
    try:
        result = run(proof, "-k", "not mutant")
        result.stdout.fnmatch_lines([f"*left behind: *on node {node}: capacity rdma/stays=2*"])
    finally:
        connection.cluster.request(
            "PATCH",
            f"/api/v1/nodes/{node}/status",
            body={"status": {"capacity": {"rdma/stays": None}, "allocatable": {"rdma/stays": None}}},
            content_type="application/merge-patch+json",
        )


def test_a_device_is_for_proofs_that_are_alone(run: Run) -> None:
    body = 'with proof.fake_device("any", "rdma/hca", 2):\n            pass'
    result = run(LEAVES.replace("{commands}", body), "-k", "not mutant")
    result.stdout.fnmatch_lines(["*a device on any would be seen by every proof*say alone=True in @proves*"])


def test_an_addon_is_started_and_reached_in_its_namespace(run: Run) -> None:
    proof = SETTINGS_PROOF.replace("mutants=", 'needs=["fleet:model=chat"], mutants=')
    body = """
        fleet = proof.addon("fleet").namespace
        assert proof.objects("pod", "app=sim", namespace=fleet)
        with proof.forward("service/sim", 8000, namespace=fleet) as url:
            models = httpx.get(f"{url}/v1/models", timeout=5).json()["data"]
        assert models[0]["id"] == "chat"
    """
    run(proof.rstrip() + body).assert_outcomes(passed=2)


def test_proofs_side_by_side_have_records(run: Run, examples: Path) -> None:
    (examples / "other.yaml").write_text(SETTINGS)
    other = SETTINGS_PROOF.replace("settings.yaml", "other.yaml").replace("test_settings", "test_other")
    run(SETTINGS_PROOF + other, "-n2", "--record").assert_outcomes(passed=4)
    assert set(load_records(examples.parent.parent)) == {"01-demo/settings.yaml", "01-demo/other.yaml"}


def test_an_interrupt_removes_the_namespace_and_keeps_the_records(
    pytester: pytest.Pytester, run: Run, examples: Path, connection: Connection
) -> None:
    run(SETTINGS_PROOF, "--record")
    records = examples.parent.parent / "records/01-demo/settings.yaml.json"
    before = records.read_bytes()
    (examples / "settings.yaml").write_text(SETTINGS + "  # changed\n")
    begun = pytester.path / "begun"
    tell = f"pathlib.Path({str(begun)!r}).write_text(proof.namespace)"
    wait = 'proof.wait("configmap", "none", "Ready", deadline=60)'
    body = SETTINGS_PROOF.rstrip() + f"\n        {tell}\n        {wait}\n"
    pytester.makepyfile(test_demo=HEAD + "    import pathlib\n" + body)
    # A job that a shell put into the background ignores Ctrl-C, and so would its children.
    program = (
        "import signal, sys, pytest; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.exit(pytest.main(['--record']))"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=pytester.path) as process:
        name = wait_until(begun.read_text, deadline=60, what="the proof's begin")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == pytest.ExitCode.INTERRUPTED
    assert _phase(connection, name) in {"Terminating", "gone"}
    assert records.read_bytes() == before


def _a_node(connection: Connection) -> str:
    """Return the name of a node that runs pods."""
    nodes = connection.cluster.request("GET", "/api/v1/nodes").content["items"]
    return max(str(node["metadata"]["name"]) for node in nodes)


def _phase(connection: Connection, namespace: str) -> str:
    """Return the phase of a namespace."""
    try:
        found = connection.cluster.request("GET", path(namespace))
    except Missing:
        return "gone"
    return str(found.content["status"]["phase"])
