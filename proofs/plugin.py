"""The pytest side of the harness: one item per mutant, diagnosis, records at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace

# A test run inside a test forgets the modules that it was first to import; httpx, which imports
# httpcore late, would then know the errors of a copy that is no longer in use.
import httpcore  # noqa: F401
import pytest

from lab import budget
from proofs import namespaces, workers
from proofs.claims import Claim, Mutant, claim_of, claims_in, router_lines
from proofs.connection import Connection
from proofs.dependencies import kill_key, proof_key
from proofs.diagnosis import sections
from proofs.failures import KILLS, HarnessError, in_short
from proofs.groups import Groups
from proofs.ledger import EQUAL, NOT_RUN, SURVIVED, Ledger, ProofResult, Run, test_of
from proofs.listings import is_refused, slug_of
from proofs.memory import Memory, proved_here
from proofs.needs import why_not_here
from proofs.own_cluster import why_not_proved
from proofs.preflight import missing
from proofs.proof import Proof, Session
from proofs.random_mutants import RandomMutant, random_mutants
from proofs.records import RecordError, load_records
from proofs.sameness import selected_labels
from proofs.selection import in_turn, taken_from_records
from proofs.summary import (
    closing_lines,
    mutants_table,
    overheads,
    proofs_in_short,
    random_mutants_in_short,
    share_of_killed,
)
from proofs.transcripts import normalised

LEDGER = pytest.StashKey[Ledger]()
PROOF = pytest.StashKey[Proof]()
KILLED_BY = pytest.StashKey[str]()
REMEMBERED = pytest.StashKey[bool]()
ENVIRONMENT = pytest.StashKey[Mapping[str, str]]()
KEY = pytest.StashKey[str]()
MEMORY = pytest.StashKey[Memory]()
#: The proofs whose mutants all run, however they were killed before.
ALL_MUTANTS = pytest.StashKey[frozenset[str]]()
WORKERS = pytest.StashKey[workers.Workers]()
FINDINGS = pytest.StashKey[list[str]]()
CLOSING_LINES = pytest.StashKey[list[str]]()
CONNECTION = pytest.StashKey[Connection]()
GROUPS = pytest.StashKey[Groups]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run of the proofs."""
    group = parser.getgroup("proofs", "proofs of the book's listings")
    group.addoption(
        "--record",
        action="store_true",
        help="write records, transcripts, refusals and pictures; without it, the checkout stays as it is",
    )
    group.addoption(
        "--refresh",
        action="store_true",
        help="renew the dates of records that still hold; with --record, pictures and times in transcripts",
    )
    group.addoption(
        "--check",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="write nothing; fail where records differ (the default when CI is set)",
    )
    group.addoption(
        "--context",
        default="",
        metavar="NAME",
        help="prove on the cluster of this context of your kubeconfig instead of the lab",
    )
    group.addoption(
        "--router-line",
        default="",
        metavar="VERSION",
        help="the router on that cluster, such as v0.7.1 (default: the edition's)",
    )
    group.addoption("--overhead", action="store_true", help="list the harness's own seconds for each proof")
    group.addoption("--mutants", action="store_true", help="list every mutant and what killed it")
    group.addoption(
        "--all-mutants",
        action="store_true",
        help="run every mutant, also those whose kill on the same files is remembered",
    )
    group.addoption(
        "--all",
        action="store_true",
        help="with CI set: run every proof, not only what the change reaches and a tenth of the rest",
    )
    group.addoption(
        "--base",
        default="",
        metavar="COMMIT",
        help="with CI set: the commit that the change is compared with",
    )
    group.addoption(
        "--random-mutants",
        type=int,
        default=0,
        metavar="N",
        help="also change each YAML listing N times at random, and report which changes survive",
    )
    group.addoption("--seed", type=int, default=1, help="choose other random mutants (default: 1)")
    group.addoption(
        "--required-share",
        type=float,
        default=0,
        metavar="PERCENT",
        help="fail when the proofs notice less than this share of the random mutants",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Open the session's ledger."""
    config.addinivalue_line("markers", "proves(claim): what a proof claims, set by @proves")
    config.addinivalue_line(
        "markers", "cluster: needs the lab, or another cluster; set by a claim's evidence"
    )
    if config.option.check and (config.option.record or config.option.refresh):
        raise pytest.UsageError(
            "--record and --refresh write files, --check (or CI being set) forbids it: choose one"
        )
    config.stash[LEDGER] = Ledger(config.rootpath)
    config.stash[FINDINGS] = []
    config.stash[CLOSING_LINES] = []
    config.stash[MEMORY] = Memory(config.rootpath)
    config.stash[CONNECTION] = Connection(config.option.context, config.option.router_line)
    if config.option.router_line and config.option.router_line not in router_lines():
        message = f"--router-line: choose one of {', '.join(router_lines())}"
        raise pytest.UsageError(message)
    config.pluginmanager.register(Notes(config.stash[LEDGER]), "proof-notes")
    if workers.is_controller(config):
        workers.session_label(config)  # fixed before xdist makes one up
        if config.option.dist in workers.PARTING:
            message = f"--dist {config.option.dist} would part proofs from their mutants: leave it out"
            raise pytest.UsageError(message)
        config.stash[WORKERS] = workers.Workers(config.stash[LEDGER], lambda tests: _plan(config, tests))
        config.pluginmanager.register(config.stash[WORKERS], "proof-workers")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing of the connection."""
    if CONNECTION in config.stash:
        config.stash[CONNECTION].close()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what your own cluster lacks, before anything is collected or made there."""
    config = session.config
    connection = config.stash[CONNECTION]
    if not connection.is_own or workers.is_worker(config):
        return
    terminal = config.pluginmanager.getplugin("terminalreporter")
    try:
        if own := connection.own:
            label = workers.session_label(config)
            lines = list(missing(own, connection.cluster, config.rootpath, label))
            _print(terminal, f"{own.context}: Kubernetes {own.server}, as {own.user}", lines, "missing: ")
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error


def _print(terminal: pytest.TerminalReporter | None, title: str, lines: list[str], mark: str = "") -> None:
    if terminal:
        terminal.section(title)
        for line in lines or ["nothing is missing"]:
            terminal.line(f"{mark if lines else ''}{line}")


class Notes:
    """Brings what the reports say of runs into the ledger, in whatever process they arrive."""

    def __init__(self, ledger: Ledger) -> None:
        """Write into a ledger."""
        self._ledger = ledger

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a run of a proof came to."""
        if run := getattr(report, "run_of_proof", None):
            self._ledger.note(Run(**run))


# Collection: a proof becomes one item for the listing and one for each mutant


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Add an item per mutant to a proof; the unchanged one keeps the test's own id."""
    claim = claim_of(metafunc.definition)
    if claim is None:
        return
    ledger = metafunc.config.stash[LEDGER]
    ledger.proofs[metafunc.definition.nodeid] = ProofResult(claim)
    if "mutant" in metafunc.fixturenames:
        random = list(_random_mutants(metafunc.config, claim))
        metafunc.parametrize(
            "mutant",
            [None, *claim.mutants, *random],
            ids=[
                pytest.HIDDEN_PARAM,
                *(f"mutant: {mutant.because}" for mutant in claim.mutants),
                *(f"random mutant: {mutant.because}" for mutant in random),
            ],
            indirect=True,
        )


def _random_mutants(config: pytest.Config, claim: Claim) -> Iterator[Mutant]:
    """Yield the random mutants that this session asks for; none of listings that must be refused."""
    for listing in claim.listings:
        file = config.rootpath / "examples" / listing
        if file.suffix == ".yaml" and file.is_file() and not is_refused(listing):
            count, seed = config.option.random_mutants, config.option.seed
            selected = selected_labels(config.rootpath, slug_of(listing)) if count else {}
            yield from random_mutants(listing, file.read_text(), count, seed, selected)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note which modules the session has seen whole."""
    item.config.stash[LEDGER].modules.add(item.nodeid.split("::")[0])


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop the session, with all findings at once, when claims are not in order."""
    ledger = config.stash[LEDGER]
    for item in items:
        if (claim := claim_of(item)) and claim.needs_cluster:
            item.add_marker("cluster")
        if claim_of(item) is not None and not isinstance(mutant_of(item), RandomMutant):
            ledger.proofs[test_of(item.nodeid)].expected.add(item.nodeid)
    findings = [*_faulty_claims(config, items), *_unreadable_records(config)]
    if findings and workers.is_worker(config):
        config.stash[FINDINGS] = findings
        items.clear()  # an error here would read as a crash of the worker
    elif findings:
        raise pytest.UsageError("\n".join(findings))
    if any("[" in argument for argument in config.args):
        for result in ledger.proofs.values():
            result.partial = True
    config.stash[ALL_MUTANTS] = _all_mutants(config)
    _take_from_records(config, items)
    groups = _groups(config, items)
    items.sort(key=lambda item: groups.place(test_of(item.nodeid)) if claim_of(item) else -1)


def _all_mutants(config: pytest.Config) -> frozenset[str]:
    """Return the proofs whose mutants all run: in CI those in turn, elsewhere those that are asked for."""
    tests = [test for test, result in config.stash[LEDGER].proofs.items() if result.expected]
    in_ci, options = bool(os.environ.get("CI")), config.option
    if options.all_mutants or (options.all if in_ci else options.check):
        return frozenset(tests)
    return in_turn(config.rootpath, tests) if in_ci else frozenset()


def _take_from_records(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, in CI, the proofs whose records are taken for true."""
    if not os.environ.get("CI") or config.option.all or config.option.context or _chosen(config):
        return
    proofs, turning = config.stash[LEDGER].proofs, config.stash[ALL_MUTANTS]
    claims = {test: result.claim for test, result in proofs.items() if result.expected}
    taken = taken_from_records(config.rootpath, claims, turning, config.option.base)
    for test, reason in taken.items():
        proofs[test].taken = reason
    left_out = [item for item in items if test_of(item.nodeid) in taken]
    items[:] = [item for item in items if test_of(item.nodeid) not in taken]
    config.hook.pytest_deselected(items=left_out)


def _chosen(config: pytest.Config) -> bool:
    """Tell whether the command line names proofs itself."""
    return bool(config.option.keyword or any("::" in argument for argument in config.args))


def _groups(config: pytest.Config, items: Sequence[pytest.Item]) -> Groups:
    """Return the order of the session's proofs by the add-ons that they need."""
    claims = {test_of(item.nodeid): claim for item in items if (claim := claim_of(item))}
    if config.option.context:
        claims = {test: replace(claim, needs=()) for test, claim in claims.items()}
    config.stash[GROUPS] = Groups(claims, workers.session_label(config), budget.host_memory_mib())
    if not workers.is_worker(config):
        tell_what_has_no_room(config, config.stash[GROUPS])
    return config.stash[GROUPS]


def _plan(config: pytest.Config, tests: Collection[str]) -> None:
    """Plan in the controller what its workers collected, to tell what has no room."""
    files = {test.partition("::")[0] for test in tests}
    claims = claims_in(sorted(file for file in files if file.startswith("tests/proofs/")))
    claims = {test: claim for test, claim in claims.items() if test in tests}
    tell_what_has_no_room(config, Groups(claims, workers.session_label(config), budget.host_memory_mib()))


def tell_what_has_no_room(config: pytest.Config, groups: Groups) -> None:
    """Say, before anything starts, which proofs are skipped because this host is too small for them."""
    tests = {reason: len(groups.tests_of(needs)) for needs, reason in groups.skipped.items()}
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if tests:
        lines = [f"{number} proofs will be skipped: {reason}" for reason, number in tests.items()]
        _print(terminal, "too little memory", lines)


def _faulty_claims(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    findings = [
        f"{name} {fault}"
        for name, result in config.stash[LEDGER].proofs.items()
        for fault in result.claim.faults(config.rootpath)
    ]
    return findings + [
        f"{item.nodeid} takes the fixture `proof` without @proves(...), or the "
        "other way round; a proof has both"
        for item in items
        if (claim_of(item) is not None) != ("proof" in getattr(item, "fixturenames", ()))
    ]


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
            item.config.stash[LEDGER].proofs[test_of(item.nodeid)].partial = True


# A run


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last run of a proof, remove the add-ons that no later one needs."""
    test = test_of(item.nodeid)
    ended = nextitem is None or test_of(nextitem.nodeid) != test
    claim = claim_of(item)
    if claim and claim.needs and ended and not item.config.option.context:
        item.config.stash[GROUPS].end(test)


@pytest.fixture(scope="session")
def connection(pytestconfig: pytest.Config) -> Connection:
    """Return the session's one connection to the lab, made at its first use."""
    return pytestconfig.stash[CONNECTION]


@pytest.fixture(scope="session")
def proof_session(pytestconfig: pytest.Config, connection: Connection) -> Session:
    """Return what all proofs of the session share."""
    return Session(
        connection,
        pytestconfig.rootpath,
        label=workers.session_label(pytestconfig),
        recording=pytestconfig.option.record,
        refreshing=pytestconfig.option.refresh,
    )


@pytest.fixture
def mutant(request: pytest.FixtureRequest) -> Mutant | None:
    """Return the mutant that this run applies; None for the listings as they are."""
    mutant: Mutant | None = getattr(request, "param", None)
    result = request.config.stash[LEDGER].proofs[test_of(request.node.nodeid)]
    if mutant and result.broken:
        pytest.skip("the proof fails without a mutant, so a mutant would show nothing")
    if mutant and result.skipped:
        pytest.skip(result.skipped)
    return mutant


@pytest.fixture
def proof(
    request: pytest.FixtureRequest,
    mutant: Mutant | None,
    proof_session: Session,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proof]:
    """Give a test what `proofs` describes; clean up what it made."""
    result = request.config.stash[LEDGER].proofs[test_of(request.node.nodeid)]
    groups, test = request.config.stash[GROUPS], test_of(request.node.nodeid)
    if reason := groups.why_skipped(test):
        pytest.skip(reason)
    if result.claim.needs and not proof_session.connection.is_own:
        groups.make_room(test)
    if reason := why_not_here(result.claim, proof_session.connection, proof_session.root):
        pytest.skip(reason)
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
    if proof is None:
        return (yield)
    pyfuncitem.obj = _after_the_workloads(proof, pyfuncitem.obj)
    if proof.mutant is None:
        try:
            return (yield from _observed(pyfuncitem, proof))
        except KILLS as failure:
            if reason := _lacking(pyfuncitem.config, failure):
                pytest.skip(reason)
            raise
    return (yield from _run_with_mutant(pyfuncitem, proof, proof.mutant))


def _after_the_workloads(proof: Proof, test: Callable[..., object]) -> Callable[..., object]:
    """Return a test that begins with what holds for the workloads of every listing."""

    def judged(**fixtures: object) -> object:
        __tracebackhide__ = True
        proof.check_workloads()
        return test(**fixtures)

    return judged


def _observed(pyfuncitem: pytest.Function, proof: Proof) -> Generator[None, object, object]:
    """Run a proof on the listings as they are, and note what it saw at work."""
    outcome = yield
    proof.observe()
    pyfuncitem.stash[ENVIRONMENT] = proof.environment()
    return outcome


def _run_with_mutant(
    pyfuncitem: pytest.Function, proof: Proof, mutant: Mutant
) -> Generator[None, object, object]:
    if _is_remembered(pyfuncitem, proof, mutant):
        pyfuncitem.obj = lambda **_fixtures: None
        return (yield)
    if isinstance(mutant, RandomMutant) and (fate := _known_fate(pyfuncitem, proof, mutant)):
        pyfuncitem.stash[KILLED_BY] = fate
        pyfuncitem.obj = lambda **_fixtures: None
        return (yield)
    if proof.mutant_changes_printed_text:
        pyfuncitem.obj = lambda **_fixtures: proof.compare_printed_text()
    try:
        yield
    except KILLS as failure:
        pyfuncitem.stash[KILLED_BY] = normalised(in_short(failure))
        return True
    except Exception as failure:
        if not isinstance(mutant, RandomMutant):
            raise
        if isinstance(failure, HarnessError):  # no kill, and a report must not stop for it
            pytest.skip(str(failure))
        pyfuncitem.stash[KILLED_BY] = f"stumbled: {type(failure).__name__}"
        return True
    if isinstance(mutant, RandomMutant):
        return True
    pytest.fail(
        f"the mutant survived: the proof passes on examples/{mutant.listing} with "
        f"{mutant.change!r} ({mutant.because}). Assert what that line decides, "
        "or name another mutant.",
        pytrace=False,
    )


def _known_fate(item: pytest.Function, proof: Proof, mutant: Mutant) -> str:
    """Return the fate of a random mutant that needs no run: another proof has it, or it means nothing."""
    results = item.config.stash[LEDGER].proofs.values()
    fates = {one.random.get(mutant.because, "") for one in results} - {"", SURVIVED, NOT_RUN}
    return min(fates, default="") or (EQUAL if proof.mutant_means_nothing else "")


def _is_remembered(item: pytest.Function, proof: Proof, mutant: Mutant) -> bool:
    """Note the key of a mutant's kill; tell whether it need not run again, and note what killed it."""
    config = item.config
    proved = config.stash[LEDGER].proofs[test_of(item.nodeid)].proved
    if isinstance(mutant, RandomMutant) or config.stash[CONNECTION].is_own or not proved.key:
        return False
    item.stash[KEY] = kill_key(proved.key, mutant, proof.surroundings())
    before = config.stash[MEMORY].killed_by(mutant, item.stash[KEY])
    if not before or test_of(item.nodeid) in config.stash[ALL_MUTANTS]:
        return False
    item.stash[KILLED_BY], item.stash[REMEMBERED] = before, True
    return True


def _lacking(config: pytest.Config, failure: BaseException) -> str:
    """Return what your own cluster did not offer or allow to a failed proof."""
    connection = config.stash[CONNECTION]
    if not connection.is_own or not connection.own:
        return ""
    return why_not_proved(connection.own.user, failure)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report carry what a run of a proof came to; add the diagnosis to a failed one."""
    report = yield
    if claim_of(item) is None:
        return report
    proof = item.stash.get(PROOF, None)
    report.run_of_proof = vars(_run(item, report, proof))  # type: ignore[attr-defined]
    if call.excinfo and call.excinfo.errisinstance(HarnessError):
        report.longrepr = f"{item.nodeid}: {call.excinfo.value}"
    elif report.failed and proof and proof.mutant is None and proof.made_namespace:
        report.sections.extend(sections(proof))
    return report


def mutant_of(item: pytest.Item) -> Mutant | None:
    """Return the mutant that an item applies; None for the listings as they are."""
    mutant: Mutant | None = item.callspec.params.get("mutant") if hasattr(item, "callspec") else None
    return mutant


def _run(item: pytest.Item, report: pytest.TestReport, proof: Proof | None) -> Run:
    mutant = mutant_of(item)
    is_call = report.when == "call"
    proven = proof if report.passed and is_call and mutant is None else None
    return Run(
        item=item.nodeid,
        mutant=mutant.because if mutant else "",
        passed=report.passed,
        failed=report.failed,
        is_call=is_call,
        is_random=isinstance(mutant, RandomMutant),
        skipped=_reason(report),
        killed_by=item.stash.get(KILLED_BY, "") if is_call else "",
        is_remembered=item.stash.get(REMEMBERED, False),
        digests=proven.digests if proven else {},
        environment=item.stash.get(ENVIRONMENT, {}) if proven else {},
        proof_key=_proof_key(item, proven) if proven else "",
        opened=proven.opened if proven else (),
        answered_by=proven.answered_by if proven else {},
        key=item.stash.get(KEY, "") if is_call else "",
        own_seconds=proof.own_seconds if proof and report.when == "teardown" else 0,
    )


def _proof_key(item: pytest.Item, proof: Proof) -> str:
    return proof_key(item.config.rootpath, test_of(item.nodeid), proof.claim, proof.opened)


def _reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped, empty when it was not."""
    if not report.skipped or not isinstance(report.longrepr, tuple):
        return ""
    return report.longrepr[2].removeprefix("Skipped: ")


# The end of the session


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what the session proved to records/, or check that it is there."""
    config = session.config
    ledger = config.stash[LEDGER]
    if workers.is_worker(config):
        workers.send(config, ledger.plan(), config.stash[FINDINGS])
        return
    ended = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if WORKERS in config.stash and _ends_with_workers(session, ended=ended):
        return
    if not ledger.proofs or not ended or config.option.collectonly:
        return
    lines = config.stash[CLOSING_LINES]
    if share_of_killed(ledger) < config.option.required_share:
        lines.append(f"less than {config.option.required_share:g} % of the random mutants were noticed")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if config.option.check:
        lines += ledger.check()
        if lines:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return
    recording = config.option.record or config.option.refresh
    written = ledger.write(config.rootpath if recording else proved_here(), refresh=config.option.refresh)
    lines += [f"{file.relative_to(config.rootpath)} written" for file in written if recording]
    if written and not recording:
        lines.append(f"{len(written)} kept in {proved_here()}; --record writes records/, to be committed")
    lines += closing_lines(ledger)


def _ends_with_workers(session: pytest.Session, *, ended: bool) -> bool:
    """Clean up after workers that were killed; tell whether faulty claims stopped the session."""
    news = session.config.stash[WORKERS]
    if news.dead or not ended:
        # Without a lab there is nothing that they could have left.
        with contextlib.suppress(HarnessError):
            namespaces.remove_all_of(
                session.config.stash[CONNECTION].cluster, workers.session_label(session.config)
            )
    if news.findings:
        session.config.stash[FINDINGS] = news.findings
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    return bool(news.findings)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was skipped, which mutants were killed, and what happened to the records."""
    parts = {
        "claims that are not in order": config.stash[FINDINGS],
        "proofs": proofs_in_short(config.stash[LEDGER]),
        "mutants": mutants_table(config.stash[LEDGER]) if config.option.mutants else [],
        "the harness's own seconds": overheads(config.stash[LEDGER]) if config.option.overhead else [],
        "random mutants": random_mutants_in_short(config.stash[LEDGER]),
        "records": config.stash[CLOSING_LINES],
    }
    for title, lines in parts.items():
        if lines:
            _print(terminalreporter, title, lines)
