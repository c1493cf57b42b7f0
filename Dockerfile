# The service without its training stack: runtime dependencies, code, migrations and bundles; no torch, no compiler, no pip.
# Another base with Python 3.11 or newer: --build-arg PYTHON_IMAGE=… `make pin-images` writes the digests of today's. Without face networks: --build-arg FACE=0.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS installed
RUN python -m venv /opt/venv
COPY requirements/runtime.txt /tmp/runtime.txt
# Wheels only: nothing may be compiled here unnoticed.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes --requirement /tmp/runtime.txt

# Face networks of others, by their checksums. Where they cannot be fetched, the image has none and says so here.
# FACE=0 also leaves out those that lie in the working tree.
FROM installed AS networks
ARG FACE=1
WORKDIR /build
COPY models models
COPY ml/__init__.py ml/__init__.py
COPY ml/runtime ml/runtime
COPY app app
RUN if test "${FACE}" = 0; then rm -rf models/face@* models/face-*@*; \
    else /opt/venv/bin/python -m app.cli models fetch face || true; fi

# pip leaves with its work done, and so does what converted the networks.
FROM installed AS dependencies
RUN /opt/venv/bin/pip uninstall --quiet --yes pip setuptools onnx ml-dtypes

FROM ${PYTHON_IMAGE} AS service
ARG VERSION=2026.12.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pulseprint" \
      org.opencontainers.image.description="Self-hosted biometric recognition by heartbeat: a decision at a stated error rate." \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-only" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A fixed uid, so that volumes and mounted secrets can be given to it.
RUN groupadd --gid 10001 pulseprint \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin pulseprint \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data

COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE alembic.ini ./
COPY LICENSES LICENSES
COPY --from=networks /build/models models
COPY migrations migrations
COPY ml/__init__.py ml/__init__.py
COPY ml/runtime ml/runtime
COPY app app

# Nothing is written at run time but /data (for SQLite: mount a volume there) and /tmp, so the root may be read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PULSEPRINT_HOST=0.0.0.0 \
    PULSEPRINT_PORT=8000 \
    PULSEPRINT_MODELS_DIR=/app/models \
    PULSEPRINT_DATABASE_URL=sqlite:////data/pulseprint.db

# Compiled here, because it cannot be at run time. Every module is imported, because some imports of the code are deferred:
# the build fails when the image lacks a file or a package that one of them needs.
RUN python -m compileall -q --invalidation-mode unchecked-hash app ml migrations \
    && python -c "import importlib, pkgutil, app, ml; \
[importlib.import_module(found.name) for package in (app, ml) \
 for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.') if not found.name.endswith('.__main__')]"

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "app.cli", "healthcheck"]
CMD ["python", "-m", "app.cli", "serve"]
