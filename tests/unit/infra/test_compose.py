"""docker-compose.yml and the Dockerfile without a Docker engine: the client checks the file, the image's steps run in a
clean folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from probable_cause import settings
from probable_cause.errors import ProbableCauseError
from probable_cause.local import prepare

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"account"}


def test_the_services_are_there() -> None:
    assert {"emulator", "job", "dashboard", "opensearch", "opensearch-dashboards"} <= set(SERVICES)
    searching = {name for name, one in SERVICES.items() if one.get("profiles") == ["search"]}
    assert searching == {"opensearch", "opensearch-dashboards"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_unprivileged_and_watched(name: str) -> None:
    one = SERVICES[name]
    assert re.fullmatch(r"[\w/.-]+:\d+\.\d+\.\d+", one["image"])
    user = str(one["user"]).split(":")[0]
    assert user.isdigit() and int(user) > 0
    assert "healthcheck" in one or name in ONE_SHOT
    assert not one.get("privileged") and "cap_add" not in one
    for port in one.get("ports", ()):
        assert str(port).startswith("127.0.0.1:")
    for volume in one.get("volumes", ()):
        assert volume.split(":")[0] in COMPOSE["volumes"]
    for other in one.get("depends_on", {}):
        assert other in SERVICES


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="no docker-compose here: apt-get install it")
def test_the_client_takes_the_file() -> None:
    done = subprocess.run(["docker-compose", "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_commands_of_the_services_are_ours_and_their_configuration_loads() -> None:
    for name in ("job", "dashboard", "demo"):
        assert SERVICES[name]["command"][0] == "probable-cause"
    loaded = settings.load(ROOT / "conf" / "compose.yml")
    assert loaded.endpoint_url == "http://127.0.0.1:4566"
    assert SERVICES["emulator"]["command"][-1] == "4566"
    assert f":{loaded.health.port}/health" in SERVICES["job"]["healthcheck"]["test"][-1]


def test_prepare_refuses_aws_itself() -> None:
    with pytest.raises(ProbableCauseError, match="emulator"):
        prepare.main([])


def test_every_step_of_the_image_is_in_the_script() -> None:
    script = (ROOT / "tools" / "image.sh").read_text("utf-8")
    steps = re.findall(r"^(\w+)\)$", script, re.MULTILINE)
    assert (
        re.findall(r"^RUN sh tools/image.sh (\w+)$", DOCKERFILE, re.MULTILINE) == steps == ["system", "python", "check"]
    )
    others = [line for line in re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE) if "tools/image.sh" not in line]
    assert others == ["useradd --uid 10001 --create-home job && mkdir .local && chown job .local"]
    assert re.search(r"^FROM [\w.]+:[\d.]+-slim-\w+$", DOCKERFILE, re.MULTILINE) and "\nUSER job\n" in DOCKERFILE


def test_the_steps_work_with_the_files_that_the_dockerfile_copies(tmp_path: Path) -> None:
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            to = tmp_path / (source if target in ("./", ".") else target)
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, to)
    # In place of an image's Python: a folder in front of this one, whose dependencies are the pinned ones.
    packages = tmp_path / "packages"
    pip = f"{sys.executable} -m pip install --quiet --no-deps --target {packages}"
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this Python has no pip")
    environment = {
        **os.environ,
        "PIP": pip,
        "PYTHONPATH": str(tmp_path),
        "PATH": f"{packages / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    for step in ("python", "check"):
        done = subprocess.run(
            ["sh", "tools/image.sh", step], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (step, done.stderr[-2000:])
