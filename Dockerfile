# The job's image: Java, Python, the package with its demo. The steps are in tools/image.sh, which a test runs too.
FROM python:3.11.14-slim-bookworm
WORKDIR /app
COPY tools/image.sh tools/image.sh
RUN sh tools/image.sh system
COPY setup.py pyproject.toml README.md ./
COPY conf conf
COPY probable_cause probable_cause
RUN sh tools/image.sh python
COPY jobs jobs
COPY tests/scenarios tests/scenarios
RUN sh tools/image.sh check
RUN useradd --uid 10001 --create-home job && mkdir .local && chown job .local
USER job
ENV SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=/usr/local/bin/python PYSPARK_DRIVER_PYTHON=/usr/local/bin/python
CMD ["probable-cause", "--help"]
