"""Give Prometheus the rule files of every ConfigMap labelled `prometheus-rules: "true"`.

Each value of such a ConfigMap, in any namespace, is one rule file. What Prometheus
refuses is taken out again and named in this container's log, the reason in that of
Prometheus; the other files stay. With its ConfigMap, a file goes.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

RULES = Path("/rules")
IDENTITY = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONFIG_MAPS = "https://kubernetes.default.svc/api/v1/configmaps?labelSelector=" + urllib.parse.quote(
    "prometheus-rules=true"
)
RELOAD = "http://localhost:9090/-/reload"
#: Seconds between two looks.
INTERVAL = 1.0


def main() -> None:
    """Keep the folder of rule files like the ConfigMaps, for ever."""
    refused: dict[str, str] = {}
    while True:
        try:
            wanted = labelled()
            refused = {name: text for name, text in refused.items() if wanted.get(name) == text}
            bring(wanted, refused)
        except (OSError, ValueError) as error:
            print(f"Cannot read the ConfigMaps, or Prometheus is not up yet: {error}")
        time.sleep(INTERVAL)


def labelled() -> dict[str, str]:
    """Return file name -> text of all labelled ConfigMaps."""
    token = (IDENTITY / "token").read_text()
    request = urllib.request.Request(CONFIG_MAPS, headers={"Authorization": f"Bearer {token}"})
    context = ssl.create_default_context(cafile=str(IDENTITY / "ca.crt"))
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310
        found = json.load(answer)["items"]
    return {
        f"{one['metadata']['namespace']}_{one['metadata']['name']}_{Path(key).stem}.yaml": text
        for one in found
        for key, text in one.get("data", {}).items()
    }


def bring(wanted: dict[str, str], refused: dict[str, str]) -> None:
    """Change the rule files to those wanted, one reload for each that is new."""
    gone = [file for file in RULES.glob("*.yaml") if file.name not in wanted]
    for file in gone:
        file.unlink()
    if gone:
        reload()
    for name, text in wanted.items():
        file = RULES / name
        before = file.read_text() if file.exists() else None
        if text in (before, refused.get(name)):
            continue
        file.write_text(text)
        try:
            reason = reload()
        except OSError:  # nothing has read it; a bad file must not be there when Prometheus starts
            file.unlink()
            raise
        print(f"{name}: {'refused: ' + reason if reason else 'loaded'}")
        if reason:
            refused[name] = text
            file.unlink()
            reload()


def reload() -> str:
    """Make Prometheus read its rule files again; return why it refuses them, or nothing."""
    try:
        urllib.request.urlopen(urllib.request.Request(RELOAD, method="POST"), timeout=30).close()
    except urllib.error.HTTPError as error:
        return error.read().decode().strip()
    return ""


if __name__ == "__main__":
    main()
