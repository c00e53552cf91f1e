# gong-elt as a container: an unprivileged user, no secrets, one folder for the warehouse and the settings.
#
#   docker build --tag gong-elt .          # with other extras: --build-arg EXTRAS=models,report,search,ducklake
#   docker run --rm --volume gong-data:/data --env-file gong.env gong-elt sync
#
# gong.env has SOURCES__GONG__BASE_URL, SOURCES__GONG__CREDENTIALS__ACCESS_KEY and ..._SECRET; or mount a folder with
# .dlt/config.toml and .dlt/secrets.toml at /data. Nothing of this is stored in the image.

FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE gong_elt.py hatch_build.py requirements.txt ./
COPY sources sources
COPY destinations destinations
COPY state state
COPY pipelines pipelines
# The versions of requirements.txt, with which the tests ran.
RUN sed -n 's/^\([A-Za-z0-9._-]*==[^\\]*[^\\ ]\) *\\*$/\1/p' requirements.txt > constraints.txt
RUN python -m venv /opt/gong-elt
ARG EXTRAS=models,report,search
ARG PACKAGES=
RUN /opt/gong-elt/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
  --constraint constraints.txt ".[$EXTRAS]" $PACKAGES
RUN /opt/gong-elt/bin/python -m pip uninstall --yes --quiet pip

FROM python:3.12-slim
COPY --from=build /opt/gong-elt /opt/gong-elt
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin gong \
  && install --directory --owner=10001 --group=10001 --mode=0700 /data
# Telemetry of dlt and dbt is off in the code; these variables also hold for the commands `dlt` and `dbt`.
ENV PATH=/opt/gong-elt/bin:$PATH \
  PYTHONUNBUFFERED=1 \
  HOME=/data \
  DLT_DATA_DIR=/data/.dlt/data \
  RUNTIME__DLTHUB_TELEMETRY=false \
  DBT_SEND_ANONYMOUS_USAGE_STATS=false \
  DO_NOT_TRACK=1
USER 10001:10001
WORKDIR /data
VOLUME /data
# Reads the warehouse only; before the first sync it succeeds and reports that nothing is loaded.
HEALTHCHECK --interval=5m --timeout=30s --start-period=30s CMD ["gong-elt", "status", "--wait", "5"]
ENTRYPOINT ["gong-elt"]
CMD ["--help"]
