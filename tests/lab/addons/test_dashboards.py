"""Do the dashboards show what happens to requests?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import addons
from lab.router_lines import here
from lab.router_lines.differences import metric
from proofs import screenshots
from proofs.waiting import wait_until
from tests.lab.addons.traffic import api, at_once, complete, count, reach

pytestmark = pytest.mark.addon

#: Pixels of a chart that are in color: its lines; axes and letters are grey.
COLORED = """chart => {
    const bytes = chart.getContext("2d").getImageData(0, 0, chart.width, chart.height).data;
    let found = 0;
    for (let at = 0; at < bytes.length; at += 4) {
        const color = bytes.slice(at, at + 3);
        found += bytes[at + 3] > 128 && Math.max(...color) - Math.min(...color) > 60;
    }
    return found;
}"""
PROXY = "/api/v1/namespaces/dashboards/services/victoria-metrics:8428/proxy"


@pytest.fixture(scope="module")
def router() -> Iterator[str]:
    """Return the namespace of a router with two model servers that has answered requests."""
    addons.ensure("dashboards")
    spec = "router:replicas=2,namespace=drawn"
    namespace = addons.ensure(spec).namespace
    yield namespace
    addons.remove(spec)


def send(namespace: str, requests: int = 8) -> None:
    """Send requests through a router, at once."""
    with reach(namespace, "service/router", 8081) as client:
        at_once(requests, lambda _: complete(client).raise_for_status())


def ask(query: str) -> list[float]:
    """Return the values that a query gives now."""
    answer = api().request("GET", f"{PROXY}/api/v1/query", query={"query": query}).content
    return [float(sample["value"][1]) for sample in answer["data"]["result"]]


def expressions() -> dict[str, str]:
    """Return what the panels of all dashboards draw, expression -> title."""
    settings = api().request("GET", f"{PROXY}/vmui/custom-dashboards").content["dashboardsSettings"]
    panels = [panel for one in settings for row in one["rows"] for panel in row["panels"]]
    return {expression: panel["title"] for panel in panels for expression in panel["expr"]}


def test_every_expression_of_the_dashboard_has_data(router: str) -> None:
    drawn = expressions()
    assert len(drawn) > 12

    def without_data() -> set[str]:
        return {title for expression, title in drawn.items() if not ask(expression)}

    def all_have_data() -> bool:
        send(router)
        assert not without_data()
        return True

    wait_until(all_have_data, deadline=90, what="data in every panel", interval=2)


def test_requests_are_counted_as_the_endpoint_picker_counts_them(router: str) -> None:
    name = metric("llm_d_epp_request_total", here.line())
    send(router)
    counted = count(router, "services/router", 9090, name)
    query = f'sum({name}{{namespace="{router}"}})'
    wait_until(lambda: ask(query) == [counted], deadline=30, what=f"{counted} requests are counted")
    ready = metric("llm_d_epp_ready_endpoints", here.line())
    assert ask(f'{ready}{{namespace="{router}"}}') == [2]


def test_a_panel_is_drawn_with_its_lines(router: str) -> None:
    if not screenshots.program():
        pytest.skip("needs Chromium: sudo apt-get install --no-install-recommends chromium")
    send(router)
    with (
        reach("dashboards", "service/victoria-metrics", 8428) as client,
        screenshots.opened(f"{client.base_url}/vmui/#/dashboards", screenshots.SIZE, 60) as page,
    ):
        screenshots.require(page, next(iter(expressions().values())))
        chart = page.locator("canvas").first
        wait_until(lambda: chart.evaluate(COLORED) > 50, deadline=30, what="lines in the first panel")
