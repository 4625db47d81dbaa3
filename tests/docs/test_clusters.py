"""The page about clusters, as far as it can be held to: it parses; what it names agrees, and exists."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sweeps.cli.main import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clusters.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OBJECTS: dict[str, Any] = {
    made["kind"]: made for made in (yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml")
}
ENGINES = re.findall(r"--engine (\w+)://([\w.-]+):(\d+)", PAGE)


def container(spec: Any) -> Any:
    [only] = spec["containers"]
    return only


def test_its_python_can_be_parsed() -> None:
    sources = [text for kind, text in BLOCKS if kind == "python"]
    assert sources
    assert all(ast.parse(source).body for source in sources)


def test_its_commands_exist() -> None:
    typed = [line for kind, text in BLOCKS if kind == "text" for line in text.splitlines()]
    ours = [shlex.split(line)[1:] for line in typed if line.startswith("sweeps ")]
    assert len(ours) >= 3
    for name, *words in ours:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, words)


def test_the_images_are_as_the_project_wants_them() -> None:
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    recipes = [text for kind, text in BLOCKS if kind == "dockerfile"]
    assert [re.search(r"FROM (\S+)", recipe)[1] for recipe in recipes] == [  # type: ignore[index]
        "python:3.12-slim",
        f"rayproject/ray:{pins['ray']}-py312",
    ]
    assert all("-c constraints.txt '.[" in recipe for recipe in recipes)
    assert OBJECTS["RayCluster"]["spec"]["rayVersion"] == pins["ray"]


def test_the_dask_cluster_fits_together() -> None:
    pytest.importorskip("distributed")
    from distributed.cli import dask_scheduler, dask_worker

    made, spec = OBJECTS["DaskCluster"], OBJECTS["DaskCluster"]["spec"]
    worker, scheduler = container(spec["worker"]["spec"]), container(spec["scheduler"]["spec"])
    assert worker["image"] == scheduler["image"]
    for own, command in ((worker, dask_worker.main), (scheduler, dask_scheduler.main)):
        assert own["args"][0] == "dask"
        given = command.make_context(own["args"][1], list(own["args"][2:])).params
        assert given.get("nthreads", 4) == int(worker["resources"]["limits"]["cpu"])
    name = made["metadata"]["name"]
    assert spec["scheduler"]["service"]["selector"]["dask.org/cluster-name"] == name
    ports = {port["name"]: port["containerPort"] for port in scheduler["ports"]}
    served = {port["targetPort"]: port["port"] for port in spec["scheduler"]["service"]["ports"]}
    assert served == ports
    assert ("dask", f"{name}-scheduler", str(ports["tcp-comm"])) in ENGINES
    assert scheduler["args"][-1] == str(ports["tcp-comm"])


def test_the_policy_is_about_that_scheduler() -> None:
    policy, cluster = OBJECTS["NetworkPolicy"]["spec"], OBJECTS["DaskCluster"]["spec"]
    assert policy["podSelector"]["matchLabels"] == cluster["scheduler"]["service"]["selector"]
    [rule] = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8786]


def test_the_ray_cluster_fits_together() -> None:
    made, spec = OBJECTS["RayCluster"], OBJECTS["RayCluster"]["spec"]
    head = container(spec["headGroupSpec"]["template"]["spec"])
    [group] = spec["workerGroupSpecs"]
    assert container(group["template"]["spec"])["image"] == head["image"]
    [port] = [port["containerPort"] for port in head["ports"] if port["name"] == "client"]
    assert ("ray", f"{made['metadata']['name']}-head-svc", str(port)) in ENGINES
    assert group["minReplicas"] >= 1, "sweeps waits for a first worker, and asks for none"
