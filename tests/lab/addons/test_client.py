"""Does a program that is handed to the client's pod reach what a user inside the cluster would?"""

from __future__ import annotations

import pytest

from lab import addons
from tests.lab.addons.traffic import inside, wait_until_reached

pytestmark = pytest.mark.addon

LIST_MODELS = "import urllib.request; print(urllib.request.urlopen('http://sim.fleet:8000/v1/models').status)"


def test_python_in_the_client_asks_a_service_of_another_namespace() -> None:
    namespace = addons.ensure("client").namespace
    addons.ensure("fleet")
    wait_until_reached(namespace, "deployment/client", "python3", "-c", LIST_MODELS)
    assert inside(namespace, "deployment/client", "python3", "-c", LIST_MODELS) == "200"
    assert inside(namespace, "deployment/client", "id", "-u") == "65532"
