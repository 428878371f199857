"""The one place of versions: what the job needs, and what each way of working on it adds."""

from pathlib import Path

from setuptools import find_packages, setup

# Spark and Delta are one version choice (Delta's jars are built against one Spark patch level), and pandas 3 is
# not yet supported by PySpark 4.1.
SPARK = "pyspark==4.1.1"
RUNTIME = [
    SPARK,
    "boto3==1.44.8",
    "isal==1.9.1",
    "orjson==3.13.0",
    "pandas==2.3.3",
    "pyarrow==26.0.1",
    "pysigma==2.0.1",
    "pyyaml==6.0.4",
    "rich==15.0.0",
]
EXTRAS = {
    "archive": ["delta-spark==4.2.0"],
    "demo": ["moto[server]==5.2.5"],
    "notebook": ["ipykernel==7.4.0", "jupyterlab==4.6.6", "matplotlib==3.11.2", "nbclient==0.11.0"],
    "browser": ["axe-playwright-python==0.1.8", "playwright==1.65.2"],
    "bench": ["duckdb==2.0.1", "polars==2.1.0"],
    "fuzz": ["atheris==3.0.0"],
    "dev": [
        'cfn-guard-rs==0.3.3; python_version < "3.13"',  # no wheel for later ones; its checks are left out there
        "cfn-lint==1.58.0",
        "chispa==0.12.0",
        "hypothesis==6.170.17",
        "jsonschema==4.26.0",
        "mypy==2.4.1",
        "pytest==9.2.0",
        "ruff==0.17.6",
        "types-PyYAML==6.0.12.20261113",
    ],
}

setup(
    name="probable-cause",
    version="0.1.0",
    description="Names the change that probably broke an AWS application, from the logs the account already has",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["probable_cause", "probable_cause.*"]), "probable_cause.conf"],
    # The default configuration and the rules travel in the wheel; in a clone they are at the top, to be read.
    package_dir={"probable_cause": "probable_cause", "probable_cause.conf": "conf"},
    package_data={"probable_cause.conf": ["*.yml", "rules/**/*.yml"], "probable_cause": ["dashboard/**/*"]},
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["probable-cause=probable_cause.cli:main"]},
)
