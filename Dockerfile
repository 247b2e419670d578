# Sources run as they are, by type stripping, so there is nothing to build: the first stage only fetches packages.
# The base is named by a tag here, because a digest that nobody here has pulled would be a guess. Pin the one you pulled:
#   docker build --build-arg NODE_IMAGE=node:24-slim@sha256:… --build-arg COMMIT="$(git rev-parse HEAD)" -t entente .
ARG NODE_IMAGE=node:24-slim
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node, so the pinned platform packages (optional) stay out; no install script may run.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG COMMIT=
LABEL org.opencontainers.image.title="Entente" \
      org.opencontainers.image.description="Keeps a partner's threat indicators on the watchlists of your own SIEMs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY config ./config
COPY content ./content
COPY src ./src
# What `entente version` says; without --build-arg COMMIT it says that it does not know.
RUN if [ -n "${COMMIT}" ]; then echo "${COMMIT}" > commit.txt; fi
# /data is the one place that is written: mount it, and the root may be read-only (--read-only).
RUN install -d -o node -g node /data /app/node_modules/.cache
USER node
# Fills the cache of stripped and compiled sources with all that the daemon loads: a start then takes less time and memory.
RUN ["node", "bin/entente.mjs", "run", "--help"]
VOLUME /data
EXPOSE 8686
ENV ENTENTE_CONFIG=/etc/entente/entente.yaml
STOPSIGNAL SIGTERM
# Liveness only: a peer that is down is no reason to restart. The port is that of the default `listen`.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8686/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The launcher replaces itself by the daemon, so that the daemon is process 1 and gets the signals.
ENTRYPOINT ["node", "/app/bin/entente.mjs"]
CMD ["run"]
