"""What does the lab say when a module cannot be had, is not what was pinned, or does not build?"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import addons, cluster, home, programs
from lab.errors import LabError

MODULE = "example.invalid/greeter"
VERSION = "v1.0.0"
WORKS = "package main\n\nfunc main() {}\n"
BROKEN = "package main\n\nfunc main() { return 1 }\n"


class Proxy:
    """A Go module proxy in a folder, and a folder of the lab that pins its one module."""

    def __init__(self, folder: Path) -> None:
        """Make both folders."""
        self.published = folder / "proxy" / MODULE / "@v"
        self.modules = folder / "modules"
        self.published.mkdir(parents=True)
        (self.modules / "greeter").mkdir(parents=True)

    def publish(self, source: str) -> None:
        """Let the proxy offer a module of one file."""
        head = f"module {MODULE}\n\ngo 1.21\n"
        (self.published / f"{VERSION}.info").write_text(f'{{"Version": "{VERSION}"}}')
        (self.published / f"{VERSION}.mod").write_text(head)
        with zipfile.ZipFile(self.published / f"{VERSION}.zip", "w") as archive:
            archive.writestr(f"{MODULE}@{VERSION}/go.mod", head)
            archive.writestr(f"{MODULE}@{VERSION}/main.go", source)

    def pin(self) -> Path:
        """Pin what the proxy offers now, as lab/modules pins modules; return go.sum."""
        folder = self.modules / "greeter"
        text = f"module example.invalid/lab\n\ngo 1.21\n\ntool {MODULE}\n\nrequire {MODULE} {VERSION}\n"
        (folder / "go.mod").write_text(text)
        (folder / "go.sum").write_text("")
        environment = {**os.environ, **programs.go_environment(), "GOFLAGS": "-mod=mod"}
        command: list[str | Path] = [programs.go_program(), "mod", "tidy"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
        return folder / "go.sum"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build cache for all tests: compiling Go's own packages takes half a minute."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def proxy(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Let Go know this proxy alone, and the lab build its module alone."""
    made = Proxy(tmp_path)
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))
    (home.folder("go") / "build").symlink_to(compiled)
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path}/proxy")
    monkeypatch.setenv("GOSUMDB", "off")
    monkeypatch.setattr(programs, "MODULES", made.modules)
    rows = {"greeter": {"module": "greeter", "packages": [MODULE]}}
    monkeypatch.setattr(programs, "table", lambda _name: rows)
    yield made
    subprocess.run(["chmod", "-R", "u+w", tmp_path], check=True)  # Go's cache is read-only


def build_after_clean() -> None:
    """Build with an empty module cache, so that Go asks the proxy again."""
    subprocess.run(["chmod", "-R", "u+w", home.home()], check=True)
    subprocess.run(["rm", "-r", home.folder("go") / "mod"], check=True)
    programs.build("greeter")


def test_a_pinned_module_is_built_and_kept(proxy: Proxy) -> None:
    proxy.publish(WORKS)
    proxy.pin()
    program = programs.program("greeter", "greeter")
    subprocess.run([program], check=True)
    proxy.publish(BROKEN)
    assert programs.program("greeter", "greeter") == program


def test_archives_that_are_unpacked_are_not_kept_and_not_missed(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.publish(WORKS)
    proxy.pin()
    programs.build("greeter")
    modules = home.folder("go") / "mod"
    assert (modules / f"{MODULE}@{VERSION}").is_dir()
    assert list(modules.rglob("*.zip")) == []
    shutil.rmtree(home.folder("programs"))
    monkeypatch.setenv("GOPROXY", "off")
    assert programs.program("greeter", "greeter").exists()
    assert (programs.module_folder("greeter", MODULE) / "main.go").read_text() == WORKS


def test_what_several_commands_want_at_once_is_built_once(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.publish(WORKS)
    proxy.pin()
    compiled: list[Path] = []

    def compile_slowly(_row: object, _package: str, target: Path) -> None:
        compiled.append(target)
        time.sleep(0.2)
        target.touch()

    monkeypatch.setattr(programs, "_compile", compile_slowly)
    with ThreadPoolExecutor(4) as commands:
        (folder,) = {*commands.map(programs.build, ["greeter"] * 4)}
    assert (folder / "greeter").exists()
    assert len(compiled) == 1


def test_all_builds_share_the_labs_modules_and_cache_and_leave_the_users_alone(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users"
    for name in ("GOMODCACHE", "GOCACHE", "GOPATH"):
        monkeypatch.setenv(name, str(users / name))
    proxy.publish(WORKS)
    proxy.pin()
    shutil.copytree(proxy.modules / "greeter", proxy.modules / "second")
    folder = programs.module_folder("greeter", MODULE)
    monkeypatch.setenv("GOPROXY", "off")
    assert programs.module_folder("second", MODULE) == folder
    assert folder.is_relative_to(home.folder("go"))
    assert programs.go_environment()["GOCACHE"] == str(home.folder("go") / "build")
    assert not users.exists()


def test_a_module_is_built_with_the_compiler_that_it_names(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.publish(WORKS)
    module = proxy.pin().parent / "go.mod"
    rows = {"greeter": {"module": "greeter", "packages": [MODULE], "experiment": "jsonv2"}}
    monkeypatch.setattr(programs, "table", lambda _name: rows)
    programs.go_version()  # is asked for once
    asked: list[tuple[str, str]] = []

    def run(*_: object, environment: dict[str, str], **__: object) -> str:
        asked.append((environment["GOTOOLCHAIN"], environment["GOEXPERIMENT"]))
        return ""

    monkeypatch.setattr(programs, "run", run)
    programs.build("greeter")
    module.write_text(f"{module.read_text()}\ntoolchain go1.99.1\n")
    programs.build("greeter")
    assert asked == [("local", "jsonv2"), ("go1.99.1", "jsonv2")]


def test_helm_is_built_before_an_addon_with_a_chart_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(programs, "build", done.append)
    for name, answer in {"_runs": False, "find_engine": None}.items():
        monkeypatch.setattr(addons, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(cluster, "connect", lambda: None)
    monkeypatch.setattr(addons, "_start", lambda _engine, addon: done.append(addon.name))
    for name in ("fleet", "cert-manager"):
        addons.ensure(name)
    assert done == ["fleet", "helm", "cert-manager"]
    assert addons.shared_programs(addons.with_needs(["fleet", "istio"])) == ["helm", "istio"]


def test_code_that_does_not_compile_is_reported_with_file_and_line(proxy: Proxy) -> None:
    proxy.publish(BROKEN)
    proxy.pin()
    with pytest.raises(LabError) as refused:
        build_after_clean()
    said = str(refused.value)
    assert said.startswith("Building greeter failed (exit code 1):")
    assert "main.go:3:22" in said
    assert said.endswith(
        "What lab/modules/greeter pins does not compile. Take its pins back to what the book was proved with."
    )
    assert not list(home.folder("programs").iterdir())


def test_a_module_that_is_not_what_was_pinned_is_not_built(proxy: Proxy) -> None:
    proxy.publish(WORKS)
    proxy.pin()
    proxy.publish(BROKEN)
    with pytest.raises(LabError) as refused:
        build_after_clean()
    assert "checksum mismatch" in str(refused.value)
    assert "not the modules that go.sum of lab/modules/greeter pins, so they are not used" in str(
        refused.value
    )


def test_a_checksum_that_is_missing_is_named(proxy: Proxy) -> None:
    proxy.publish(WORKS)
    proxy.pin().write_text("")
    with pytest.raises(LabError, match=r"lab/modules/greeter is not complete\. Run `go mod tidy` there"):
        build_after_clean()


@pytest.mark.parametrize("value", ["off", "http://127.0.0.1:1"])
def test_a_proxy_out_of_reach_is_told(value: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.publish(WORKS)
    proxy.pin()
    monkeypatch.setenv("GOPROXY", value)
    with pytest.raises(LabError, match=r"check that this host reaches it \(GOPROXY\)"):
        build_after_clean()
