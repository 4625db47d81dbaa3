"""Hosts with addresses of their own: network namespaces of this machine, each on a cable to it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class Host:
    """A network namespace on a cable of its own.

    Args:
        name: of both; unlike any other on this machine, at most 13 letters.
        number: from 1 to 254, decides the addresses.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.driver, self.address = f"10.213.{number}.1", f"10.213.{number}.2"
        """The two ends of the cable: on this machine, and there."""
        self.enter = ["ip", "netns", "exec", name]
        """Words before a command that runs there."""

    def make(self) -> None:
        """Lay the cable, and give both ends their addresses."""
        there = ["-n", self.name]
        ip("netns", "add", self.name)
        ip("link", "add", f"{self.name}-0", "type", "veth", "peer", "name", f"{self.name}-1")
        ip("link", "set", f"{self.name}-1", "netns", self.name)
        ip("address", "add", f"{self.driver}/24", "dev", f"{self.name}-0")
        ip(*there, "address", "add", f"{self.address}/24", "dev", f"{self.name}-1")
        ip("link", "set", f"{self.name}-0", "up")
        ip(*there, "link", "set", f"{self.name}-1", "up")
        ip(*there, "link", "set", "lo", "up")
        ip(*there, "route", "add", "default", "via", self.driver)

    def cut_off(self) -> None:
        """Pull the plug: nothing arrives any more, and nobody is told."""
        ip("-n", self.name, "link", "set", f"{self.name}-1", "down")

    def remove(self) -> None:
        """Take it all away; the cable goes with the namespace."""
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True, timeout=30)


def ip(*words: str) -> None:
    """Give a command to ``ip``."""
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, (words, done.stderr)


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Make some hosts; skips where the machine does not let us."""
    made = [Host(f"sweeps{os.getpid() % 10**6}{'abcdefg'[i]}"[:13], i + 1) for i in range(count)]
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces take root and ip (package iproute2)")
    try:
        probe = ["ip", "netns", "add", made[0].name]
        if subprocess.run(probe, check=False, capture_output=True, timeout=30).returncode:
            pytest.skip("this machine allows no network namespaces")
        made[0].remove()
        for host in made:
            host.make()
        yield made
    finally:
        for host in made:
            host.remove()
