# Run it with --init (or a pod's shared process namespace): an engine that was killed leaves orphans, and Node as process 1
# doesn't collect them. The root file system may be read-only:
#   docker run --init --read-only --tmpfs /tmp -v aidlc:/var/lib/aidlc -p 8080:8080 -e DATABASE_URL=… IMAGE

FROM node:24.21.0-bookworm AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY scripts/sbom scripts/sbom
RUN node scripts/sbom/main.ts
COPY scripts/setup/download-pulumi.mjs scripts/setup/
ENV PULUMI_HOME=/opt/pulumi-home PULUMI_SKIP_UPDATE_CHECK=true
RUN node scripts/setup/download-pulumi.mjs /opt/pulumi
# Of the version that the programs are written against, before any operation needs it: engines that install one plugin at
# the same time get in each other's way.
RUN /opt/pulumi/bin/pulumi plugin install resource aws "$(node -p 'require("@pulumi/aws/package.json").version')"

# The code of the functions that pipelines deploy, and their layer, which npm installs for the functions' processor.
FROM node:24.21.0-bookworm AS handlers
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY scripts/setup scripts/setup
COPY scripts/handlers scripts/handlers
COPY programs programs
COPY handlers handlers
RUN node --input-type=module -e 'import { ensureHandlers } from "./scripts/setup/handlers.mjs"; await ensureHandlers("/app", "/tmp/aidlc", process.env)'

# Not for the service: in it SageMaker's processing jobs validate files that are too large for a function (docs/validation.md). It has Node
# and DuckDB where the layer of the functions has it; the program comes from each pipeline, so that it is always that of its function.
#   docker build --platform linux/amd64 --target validation-job -t <repository>:<tag> .
# It runs as root, as SageMaker asks of containers that write to what it mounts.
FROM node:24.21.0-bookworm-slim AS validation-job
WORKDIR /opt/nodejs
COPY handlers/duckdb-layer/package.json handlers/duckdb-layer/package-lock.json handlers/duckdb-layer/.npmrc ./
RUN npm ci --omit=dev --ignore-scripts
ENV NODE_ENV=production \
    NODE_PATH=/opt/nodejs/node_modules

FROM node:24.21.0-bookworm-slim
WORKDIR /app
# The slim image has no certificates, and the engine and its plugins don't use Node's.
COPY --from=install /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Programs are inline and policies run in the service: the language hosts of the archive aren't needed.
COPY --from=install /opt/pulumi/bin/pulumi /usr/local/bin/pulumi
COPY --from=install /opt/pulumi-home/plugins /home/node/.pulumi/plugins
COPY --from=install /app/node_modules node_modules
# What all of this consists of, with licences (CycloneDX).
COPY --from=install /app/sbom.cdx.json ./
COPY --from=handlers /app/build build
COPY package.json ./
COPY programs programs
COPY handlers handlers
COPY src src

ENV NODE_ENV=production \
    HOME=/home/node \
    AIDLC_HOST=0.0.0.0 \
    AIDLC_PORT=8080 \
    AIDLC_DATA_DIR=/var/lib/aidlc
RUN install -d -o node -g node -m 0700 /var/lib/aidlc
VOLUME /var/lib/aidlc
# By number, so that Kubernetes can prove that it isn't root: the user node of the base image.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
# The first start on an empty volume creates a database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.AIDLC_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
