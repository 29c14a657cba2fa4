"""The pytest side of the harness: one item per mutant, diagnosis, records at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator, Sequence

import pytest

from extensions.records import RecordError, load_records
from tests.harness.claims import Mutant, claim_of
from tests.harness.connection import Connection
from tests.harness.diagnosis import sections
from tests.harness.failures import KILLS, HarnessError, in_short
from tests.harness.ledger import Ledger, ProofResult
from tests.harness.proof import Proof, Session
from tests.harness.transcripts import normalised

LEDGER = pytest.StashKey[Ledger]()
PROOF = pytest.StashKey[Proof]()
CLOSING_LINES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run of the proofs."""
    group = parser.getgroup("proofs", "proofs of the book's listings")
    group.addoption(
        "--record",
        action="store_true",
        help="rewrite transcripts and refusals that differ from what is printed now",
    )
    group.addoption("--refresh", action="store_true", help="renew the date of records that still hold")
    group.addoption(
        "--check",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="write nothing; fail where records differ (the default when CI is set)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Open the session's ledger."""
    config.addinivalue_line("markers", "proves(claim): what a proof claims, set by @proves")
    if config.option.check and (config.option.record or config.option.refresh):
        raise pytest.UsageError(
            "--record and --refresh write files, --check (or CI being set) forbids it: choose one"
        )
    config.stash[LEDGER] = Ledger(config.rootpath)
    config.stash[CLOSING_LINES] = []


# Collection: a proof becomes one item for the listing and one for each mutant


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Add an item per mutant to a proof; the unchanged one keeps the test's own id."""
    claim = claim_of(metafunc.definition)
    if claim is None:
        return
    ledger = metafunc.config.stash[LEDGER]
    ledger.proofs[metafunc.definition.nodeid] = ProofResult(claim)
    if "mutant" in metafunc.fixturenames:
        named = [f"mutant: {mutant.because}" for mutant in claim.mutants]
        metafunc.parametrize(
            "mutant",
            [None, *claim.mutants],
            ids=[pytest.HIDDEN_PARAM, *named],
            indirect=True,
        )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note which modules the session has seen whole."""
    item.config.stash[LEDGER].modules.add(item.nodeid.split("::")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop the session, with all findings at once, when claims are not in order."""
    ledger = config.stash[LEDGER]
    findings = [
        f"{name} {fault}"
        for name, result in ledger.proofs.items()
        for fault in result.claim.faults(config.rootpath)
    ]
    for item in items:
        claimed = claim_of(item) is not None
        if claimed != ("proof" in getattr(item, "fixturenames", ())):
            findings.append(
                f"{item.nodeid} takes the fixture `proof` without @proves(...), or the "
                "other way round; a proof has both"
            )
        if claimed:
            ledger.proofs[proof_id(item)].expected.add(item.nodeid)
    findings += _unreadable_records(config)
    if ledger.proofs and hasattr(config, "workerinput"):
        findings.append("proofs share one ledger of what was proven: leave out -n")
    if findings:
        raise pytest.UsageError("\n".join(findings))
    if any("[" in argument for argument in config.args):
        for result in ledger.proofs.values():
            result.partial = True


def _unreadable_records(config: pytest.Config) -> list[str]:
    """Return why the records cannot be read: better known before a run than after it."""
    try:
        load_records(config.rootpath)
    except RecordError as error:
        return [str(error)]
    return []


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note proofs of which some runs were left out: they change no record."""
    for item in items:
        if claim_of(item) is not None:
            item.config.stash[LEDGER].proofs[proof_id(item)].partial = True


def proof_id(item: pytest.Item) -> str:
    """Return the id of the test that an item is a run of."""
    return item.nodeid.split("[")[0]


# A run


@pytest.fixture(scope="session")
def connection() -> Connection:
    """Return the session's one connection to the lab, made at its first use."""
    return Connection()


@pytest.fixture(scope="session")
def proof_session(pytestconfig: pytest.Config, connection: Connection) -> Session:
    """Return what all proofs of the session share."""
    return Session(
        connection,
        pytestconfig.rootpath,
        label=secrets.token_hex(4),
        recording=pytestconfig.option.record,
    )


@pytest.fixture
def mutant(request: pytest.FixtureRequest) -> Mutant | None:
    """Return the mutant that this run applies; None for the listings as they are."""
    mutant: Mutant | None = getattr(request, "param", None)
    if mutant and request.config.stash[LEDGER].proofs[proof_id(request.node)].broken:
        pytest.skip("the proof fails without a mutant, so a mutant would show nothing")
    return mutant


@pytest.fixture
def proof(
    request: pytest.FixtureRequest,
    mutant: Mutant | None,
    proof_session: Session,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proof]:
    """Give a test what `tests.harness` describes; clean up what it made."""
    result = request.config.stash[LEDGER].proofs[proof_id(request.node)]
    folder = tmp_path_factory.mktemp("proof")
    proof = Proof(result.claim, mutant, proof_session, folder, result.seen)
    request.node.stash[PROOF] = proof
    try:
        yield proof
    finally:
        proof.clean()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Turn a mutant's run round: it passes when the proof fails."""
    proof = pyfuncitem.stash.get(PROOF, None)
    if proof is None or proof.mutant is None:
        return (yield)
    if proof.mutant_changes_printed_text:
        pyfuncitem.obj = lambda **_fixtures: proof.compare_printed_text()
    try:
        yield
    except KILLS as failure:
        result = pyfuncitem.config.stash[LEDGER].proofs[proof_id(pyfuncitem)]
        result.killed_by[proof.mutant.because] = normalised(in_short(failure))
        return True
    pytest.fail(
        f"the mutant survived: the proof passes on examples/{proof.mutant.listing} with "
        f"{proof.mutant.change!r} ({proof.mutant.because}). Assert what that line decides, "
        "or name another mutant.",
        pytrace=False,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what a run of a proof came to; add the diagnosis to a failed one."""
    report = yield
    proof = item.stash.get(PROOF, None)
    if proof is None:
        return report
    result = item.config.stash[LEDGER].proofs[proof_id(item)]
    if not report.passed:
        result.passed.discard(item.nodeid)
        result.broken |= report.failed and proof.mutant is None
    elif report.when == "call":
        result.passed.add(item.nodeid)
    if report.passed and report.when == "call" and proof.mutant is None:
        result.digests |= proof.digests
        result.environment |= proof.environment()
    if call.excinfo and call.excinfo.errisinstance(HarnessError):
        report.longrepr = f"{item.nodeid}: {call.excinfo.value}"
    elif report.failed and proof.mutant is None and proof.made_namespace:
        report.sections.extend(sections(proof))
    return report


# The end of the session


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what the session proved to records/, or check that it is there."""
    config = session.config
    ledger = config.stash[LEDGER]
    ended = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if not ledger.proofs or not ended or config.option.collectonly:
        return
    lines = config.stash[CLOSING_LINES]
    if config.option.check:
        lines += ledger.check()
        if lines:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return
    written = ledger.write(refresh=config.option.refresh)
    lines += [f"{file.relative_to(config.rootpath)} written" for file in written]
    lines += [
        f"{name}: not all of its runs passed in this session, so no record of it changed"
        for name, result in ledger.proofs.items()
        if result.expected and not result.complete
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what happened to the records."""
    lines = config.stash[CLOSING_LINES]
    if lines:
        terminalreporter.section("records")
        for line in lines:
            terminalreporter.line(line)
