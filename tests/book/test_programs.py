"""What the programs that the book hands to its readers say to bad input: one sentence, and an exit status."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.programs import refusal

EXAMPLES = Path(__file__).parents[2] / "examples"
NOBODY = "http://127.0.0.1:9"
#: A file that no one can read from its beginning, root included.
UNREADABLE = "/proc/self/mem"
#: Variables that say where a program finds the router.
ADDRESSES = ("ROUTER_URL", "METRICS_URL", "ENVOY_ADMIN_URL")
#: Programs that ask a router, with their arguments; {url} becomes its address.
CLIENTS = [
    ("01-introduction/conversations.py", "{url}"),
    ("01-introduction/same_answer.py", "{url}", "{url}"),
    ("02-installation/chat.py", "Who?"),
    ("03-architecture/spread.py",),
    ("03-architecture/trace.py", "short-request.json"),
]
#: Programs that ask the API server.
ASK_A_CLUSTER = [("02-installation/preflight.py",), ("03-architecture/rights.py",)]


class Nonsense(BaseHTTPRequestHandler):
    """A server that answers everything with 200 and a text that is no answer of a model."""

    def answer(self) -> None:
        """Answer a request."""
        text = self.server.text  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer  # noqa: N815 - the library looks for these names

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    """Return the server, at a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def at(url: str, program: tuple[str, ...]) -> str:
    """Return what a program says that finds the router at an address."""
    name, *arguments = program
    where = [argument.format(url=url) for argument in arguments]
    return refusal(EXAMPLES / name, *where, **dict.fromkeys(ADDRESSES, url))


@pytest.mark.parametrize("program", CLIENTS, ids=lambda program: program[0])
def test_where_nothing_listens_a_program_says_so(program: tuple[str, ...]) -> None:
    sentence = at(NOBODY, program)
    assert NOBODY in sentence
    assert "Connection refused" in sentence


@pytest.mark.parametrize("program", CLIENTS, ids=lambda program: program[0])
def test_what_is_no_address_is_named(program: tuple[str, ...]) -> None:
    assert "http://127.0.0.1:abc" in at("http://127.0.0.1:abc", program)


@pytest.mark.parametrize("text", [b"", b"hello", b"[1]", b"{}", b'{"choices": 1}', b"\xff\xfe"], ids=repr)
@pytest.mark.parametrize("program", [CLIENTS[0], CLIENTS[2]], ids=lambda program: program[0])
def test_what_is_no_answer_of_a_model_is_not_taken_for_one(
    program: tuple[str, ...], text: bytes, server: ThreadingHTTPServer
) -> None:
    server.text = text  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{server.server_port}"
    assert url in at(url, program)


@pytest.mark.parametrize("settings", [None, "", "just: [text", "{}"])
@pytest.mark.parametrize("program", ASK_A_CLUSTER, ids=lambda program: program[0])
def test_without_a_cluster_a_program_says_so(
    program: tuple[str, ...], settings: str | None, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "config"
    if settings is not None:
        kubeconfig.write_text(settings)
    assert refusal(EXAMPLES / program[0], KUBECONFIG=str(kubeconfig)).startswith("no cluster: ")


@pytest.mark.parametrize("program", ASK_A_CLUSTER, ids=lambda program: program[0])
def test_a_server_that_is_no_api_server_is_told(
    program: tuple[str, ...], server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    server.text = b"hello"  # type: ignore[attr-defined]
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(KUBECONFIG.format(port=server.server_port))
    sentence = refusal(EXAMPLES / program[0], KUBECONFIG=str(kubeconfig))
    assert "API server" in sentence


KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
clusters: [{{name: it, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: it, user: {{}}}}]
"""


ARGUMENTS = {"15-maintenance/old_names.py": (".",)}


@pytest.mark.parametrize(
    ("program", "data", "old", "new", "sentence"),
    [
        ("01-introduction/kv_cache.py", "models.toml", "kv_heads = 8", "kv-heads = 8", "Llama 3.1 8B: wants"),
        ("01-introduction/kv_cache.py", "models.toml", "layers = 80", "layers = -80", "Llama 3.1 70B: wants"),
        ("01-introduction/kv_cache.py", "models.toml", "layers = 80\n", "", "Llama 3.1 70B: wants"),
        ("01-introduction/kv_cache.py", "models.toml", "layers = 80", "layers =", "models.toml: "),
        (
            "01-introduction/kv_cache.py",
            "models.toml",
            "[[models]]",
            "[[model]]",
            "models.toml: 'models' is missing",
        ),
        (
            "15-maintenance/old_names.py",
            "old-names.toml",
            "[[names]]",
            "[[name]]",
            "old-names.toml: 'names'",
        ),
        ("03-architecture/rights.py", "rights.toml", "verbs =", "words =", "rights.toml: 'verbs' is missing"),
    ],
)
def test_a_mistake_in_the_readers_data_is_named(
    program: str, data: str, old: str, new: str, sentence: str, tmp_path: Path
) -> None:
    source = EXAMPLES / program
    copy = Path(shutil.copy2(source, tmp_path))
    text = source.with_name(data).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / data).write_text(text.replace(old, new), encoding="utf-8")
    assert sentence in refusal(copy, *ARGUMENTS.get(program, ()))


def test_a_file_that_cannot_be_read_does_not_end_the_search(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("git clone https://github.com/llm-d/llm-d-deployer\n")
    program = EXAMPLES / "15-maintenance/old_names.py"
    command = [sys.executable, str(program), str(UNREADABLE), str(script)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr.startswith(f"{UNREADABLE}: ")
    assert result.stdout.startswith(f"{script}:1: llm-d-deployer is now: ")
    assert result.returncode == 1
