import json
import subprocess
import sys

from click.testing import CliRunner

from probe.cli import probe
from probe.docs.shipped import schema_text


def test_prints_the_schema_that_was_shipped() -> None:
    result = CliRunner().invoke(probe, ["schema"])
    assert (result.exit_code, result.stdout) == (0, schema_text())
    assert json.loads(result.stdout)["title"] == "probe's config.yaml"


def test_takes_nothing() -> None:
    assert CliRunner().invoke(probe, ["schema", "http"]).exit_code == 2


def test_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "probe", "schema"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")
