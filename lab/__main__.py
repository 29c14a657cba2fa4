"""The lab's command line; `python -m lab --help` lists the commands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from lab import (
    addons,
    airgap,
    budget,
    catalogue,
    chapters,
    cluster,
    doctor,
    edition,
    home,
    images,
    objects,
    registry,
    web,
)
from lab.engine import Engine, find_engine
from lab.errors import LabError
from lab.lock import alone
from lab.progress import say
from lab.router_lines.command import command

EPILOG = "Everything the lab keeps lies in one folder: LIFE_WITH_LLMD_HOME, or the user's cache."


@click.group(epilog=EPILOG)
def main() -> None:
    """Run the kind cluster that proves the listings of Life with llm-d."""


@main.command()
def up() -> None:
    """Bring the lab up, or repair it; fast when it is up already."""
    with alone():
        _bring_up(find_engine())
    say("The lab is up. Use it in this shell with: " + _shell_hint())


def _bring_up(engine: Engine) -> None:
    home.remove_unfinished()
    registry.require_ownership(engine)
    cluster.require_ownership(engine)
    provided = images.provide(engine, images.BASE)
    server = registry.start(engine, provided["registry"])
    for key, image in provided.items():
        if key not in {"node", "registry"}:
            registry.push(engine, server, image)
    cluster.ensure(engine, provided)
    objects.install_crds()
    cluster.wait_until_ready()
    objects.pretend_gpus()  # kubelets that are still starting take them off again


@main.command()
@click.argument("chapter", required=False)
def reset(chapter: str | None) -> None:
    """Replace the cluster by a new one, with the add-ons that CHAPTER (a number) starts from.

    All that was made in the old one is gone; images stay.
    """
    specs = chapters.starting_addons(chapter) if chapter else []
    with alone():
        engine = find_engine()
        cluster.delete(engine)
        _bring_up(engine)
    for spec in specs:
        addons.ensure(spec)
    beside = f", with {', '.join(specs)}" if specs else ""
    say(f"The lab is new{beside}. Use it in this shell with: {_shell_hint()}")


@main.command()
def status() -> None:
    """Show what runs, and how to reach it."""
    lab = cluster.connect()
    for name, version in lab.environment().items():
        click.echo(f"{name:32}{version}")
    click.echo(f"{'kubeconfig':32}{lab.kubeconfig}")
    click.echo(f"{'use it with':32}{_shell_hint()}")
    for namespace, name in addons.installed().items():
        click.echo(f"{'add-on ' + name:32}namespace {namespace}")
    click.echo()
    click.echo(cluster.kubectl("get", "nodes", doing="Listing the nodes").rstrip())


@main.command()
@click.argument("specs", metavar="[NAME[:PARAMETER=VALUE,...]]...", nargs=-1)
def add(specs: tuple[str, ...]) -> None:
    """Start add-ons, and what they need; without a name, list the add-ons by purpose."""
    if not specs:
        click.echo("\n".join(catalogue.by_purpose()))
    for spec in specs:
        budget.require(spec)
    for spec in specs:
        addon = addons.ensure(spec)
        say(f"{addon.name} is ready in the namespace {addon.namespace}.")


@main.command()
@click.argument("specs", metavar="NAME[:PARAMETER=VALUE,...]...", nargs=-1, required=True)
def remove(specs: tuple[str, ...]) -> None:
    """Remove add-ons and their namespaces; their images stay."""
    for spec in specs:
        addons.remove(spec)


@main.command()
@click.argument("spec", metavar="NAME[:PARAMETER=VALUE,...]")
def describe(spec: str) -> None:
    """Say what an add-on is, which parameters it has, what it needs and takes; starts nothing."""
    click.echo("\n".join(catalogue.description(spec)))


@main.command("open")
@click.argument("spec", metavar="NAME[:PARAMETER=VALUE,...]")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen on this port of 127.0.0.1.")
def open_addon(spec: str, port: int | None) -> None:
    """Open the web interface of an add-on that runs, until Ctrl-C."""
    web.open_web(spec, port)


main.add_command(command)


@main.command()
def env() -> None:
    """Print the shell lines that point kubectl at the lab."""
    lab = cluster.find()
    # Also when it is not up: eval of nothing would leave kubectl at some other cluster.
    click.echo(f'export KUBECONFIG="{lab.kubeconfig}"')
    click.echo(f'export PATH="{lab.kubectl.parent}:$PATH"')
    cluster.connect()


@main.command()
@click.option("--images", "with_images", is_flag=True, help="Also remove images, archives stay.")
def down(*, with_images: bool) -> None:
    """Remove the cluster, the registry and the network; built images stay."""
    with alone():
        engine = find_engine(install=False)
        cluster.delete(engine)
        registry.remove(engine)
        if with_images:
            images.remove_all(engine)
    say("The lab is down.")


@main.command("images")
@click.option(
    "--save", "folder", type=click.Path(path_type=Path), help="Save them here, for a host without network."
)
@click.option("--with", "specs", multiple=True, metavar="NAME", help="Also save what an add-on needs.")
def show_images(folder: Path | None, specs: Sequence[str]) -> None:
    """Show where each image came from, or would come from; or save all of them."""
    if folder:
        airgap.save(folder, specs)
        return
    if specs:
        raise click.UsageError("--with goes with --save.")
    provided = images.recorded()
    for key, image in edition.images().items():
        known = provided.get(key)
        used = f"{known.source}{'' if known.name == image.name else f' ({known.name})'}" if known else ""
        click.echo(f"{image.name:64}{used or 'not in use: ' + images.would_come_from(image)}")
    for name, origin in objects.crd_sources().items():
        click.echo(f"{name:64}{origin}")
    click.echo(f"Archives are looked for in {home.archives()}")


@main.command("doctor")
@click.option("--with", "specs", multiple=True, metavar="NAME", help="Say what add-ons together would need.")
def run_doctor(specs: Sequence[str]) -> None:
    """Check this host and say what is missing; changes nothing."""
    findings = doctor.together(specs) if specs else doctor.examine()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'MISS'}  {finding.text}")
    if not all(finding.good for finding in findings):
        sys.exit(1)


def _shell_hint() -> str:
    """Return the line that points a shell at the lab, whichever folder it is in."""
    project, python = shlex.quote(str(edition.PROJECT)), shlex.quote(sys.executable)
    return f'eval "$(PYTHONPATH={project} {python} -m lab env)"'


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Stopped. Run the command again: it goes on where it was.", err=True)
        sys.exit(130)
