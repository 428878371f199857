# The job's image: Java, Python, the package with its demo. The same steps as `make setup`, in a clean place.
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY setup.py pyproject.toml README.md ./
COPY conf conf
COPY probable_cause probable_cause
RUN pip install --no-cache-dir --editable '.[archive,demo]'
COPY jobs jobs
COPY tests/scenarios tests/scenarios
RUN useradd --uid 10001 --create-home job && mkdir .local && chown job .local
USER job
ENV SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON=/usr/local/bin/python PYSPARK_DRIVER_PYTHON=/usr/local/bin/python
CMD ["probable-cause", "--help"]
