"""Ask the API server whether personas may do what rights.toml says, no more.

Asks as the cluster of the current kubectl context; each question is a
SubjectAccessReview, which is answered and not stored. Exits with 1 when an
answer differs.
"""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, ApiException, AuthorizationV1Api
from kubernetes.config import ConfigException, new_client_from_config
from urllib3.exceptions import HTTPError
from yaml import YAMLError

MATRIX = Path(__file__).with_name("rights.toml")

Persona = dict[str, Any]


def subject(persona: Persona, namespace: str) -> dict[str, Any]:
    """Return user and groups under which a persona's requests arrive."""
    every_user = "system:authenticated"
    if account := persona.get("service-account"):
        user = f"system:serviceaccount:{namespace}:{account}"
        accounts = "system:serviceaccounts"
        groups = [accounts, f"{accounts}:{namespace}", every_user]
        return {"user": user, "groups": groups}
    return {"user": "somebody", "groups": [persona["group"], every_user]}


def may(
    api: AuthorizationV1Api, who: dict[str, Any], wish: dict[str, str]
) -> bool:
    """Return whether the API server would allow it."""
    review = {"spec": {**who, "resourceAttributes": wish}}
    answer = api.create_subject_access_review(review)
    return bool(answer.status.allowed)


def read_matrix() -> tuple[list[str], list[str], dict[str, Persona]]:
    """Return verbs, resources and personas, or stop with a sentence."""
    try:
        personas = tomllib.loads(MATRIX.read_text(encoding="utf-8"))
        return personas.pop("verbs"), personas.pop("resources"), personas
    except (OSError, ValueError) as error:
        sys.exit(f"{MATRIX.name}: {error}")
    except KeyError as error:
        sys.exit(f"{MATRIX.name}: {error} is missing")


def main() -> int:
    """Print what each persona may do; return 1 if that is not as written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", default="llm-d")
    namespace = parser.parse_args().namespace
    verbs, resources, personas = read_matrix()
    client: ApiClient = new_client_from_config()
    api = AuthorizationV1Api(client)
    differ = 0
    for name, persona in personas.items():
        print(name)
        who = subject(persona, namespace)
        for path in resources:
            group, _, resource = path.rpartition("/")
            wish = {"namespace": namespace, "group": group}
            wish["resource"], _, wish["subresource"] = resource.partition(":")
            allowed = [
                verb for verb in verbs if may(api, who, wish | {"verb": verb})
            ]
            said = " ".join(allowed) or "-"
            if set(allowed) != set(persona.get(resource, [])):
                differ += 1
                said += "   NOT AS WRITTEN"
            print(f"  {resource:23}{said}")
    asked = len(personas) * len(resources) * len(verbs)
    print(f"{asked} questions, {differ} rows not as written")
    return 1 if differ else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ConfigException, OSError, YAMLError) as error:
        sys.exit(f"no cluster: {' '.join(str(error).split())}")
    except HTTPError as error:
        sys.exit(f"the cluster does not answer: {error}")
    except ApiException as error:
        sys.exit(f"the API server refused to be asked: {error.reason}")
    except (AttributeError, TypeError, ValueError):
        sys.exit("what answers is no API server; see: kubectl cluster-info")
