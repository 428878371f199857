"""Configuration: every fault at once, each with file, key, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from probable_cause import settings
from probable_cause.errors import SettingsError


def test_defaults_load_and_every_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    over = tmp_path / "mine.yml"
    over.write_text("stream: {name: mine, lag: 400ms}\nrelevance: {vpc_flow: {half_life: 30m}}\n")
    loaded = settings.load(over, overrides={"stream": {"name": "last"}})
    assert loaded.stream.name == "last"
    assert loaded.stream.lag == 0.4
    assert loaded.decay["vpc_flow"] == settings.Decay(1800, 6 * 3600)
    assert loaded.decay["cloudtrail"] == settings.Decay(24 * 3600, 72 * 3600)


@pytest.mark.parametrize("name", ["local.yml", "emr.yml"])
def test_shipped_files_load(name: str) -> None:
    assert settings.load(settings.conf_folder() / name)


def test_all_faults_are_told_together_with_file_and_key(tmp_path: Path) -> None:
    over = tmp_path / "mine.yml"
    over.write_text(
        """
aws: {endpoint_url: "127.0.0.1:4566"}
stream: {nmae: x, lag: soon, starting_position: YESTERDAY}
network: {accepted_cidrs: [10.0.0.1/8, fd00::/8]}
log_groups:
  - {pattern: "(", family: cloudtrail}
  - {pattern: "x", family: flow}
  - {pattern: "x", family: application, format: "${version}"}
  - just text
identity: {remembered_events: 0}
tables: {create_missing: "yes"}
rules: {paths: [nowhere]}
"""
    )
    with pytest.raises(SettingsError) as error:
        settings.load(over)
    told = str(error.value)
    assert all(str(over) in fault for fault in error.value.faults)
    for key, found, allowed in [
        ("aws.endpoint_url", "'127.0.0.1:4566'", "http://127.0.0.1:4566"),
        ("stream.nmae", "unknown key", "name"),
        ("stream.lag", "'soon'", "500ms"),
        ("stream.starting_position", "'YESTERDAY'", "TRIM_HORIZON or LATEST"),
        ("network.accepted_cidrs[0]", "'10.0.0.1/8'", "host bits"),
        ("log_groups[0].pattern", "'('", "regular expression"),
        ("log_groups[1].family", "'flow'", "cloudtrail or aws_config or vpc_flow or application"),
        ("log_groups[2].format", "'${version}'", "only vpc_flow"),
        ("log_groups[3]", "'just text'", "pattern and family"),
        ("identity.remembered_events", "0", "from 1"),
        ("tables.create_missing", "'yes'", "true or false"),
        ("rules.paths", "'nowhere'", "existing"),
    ]:
        assert any(key in line and found in line and allowed in line for line in error.value.faults), (key, told)
    assert len(error.value.faults) == 12


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [", "\x00"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, content: str) -> None:
    over = tmp_path / "mine.yml"
    over.write_text(content)
    with pytest.raises(SettingsError, match=str(over)):
        settings.load(over)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(SettingsError, match="no such file"):
        settings.load("/nowhere/mine.yml")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("24h", 86400), ("3d", 259200), (7, 7.0), ("0.5s", 0.5)],
)
def test_durations(text: object, seconds: float) -> None:
    assert settings.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "-5s", "5 years", True, None, -1])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="a duration"):
        settings.parse_duration(text)
