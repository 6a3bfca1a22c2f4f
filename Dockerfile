# One image for the three services. The command of a container names the service: places, people or join.
FROM node:24-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /registry
# The tools come first, so that this layer is rebuilt only if a pinned version changes.
COPY Makefile Cargo.lock rust-toolchain.toml package.json package-lock.json ./
RUN make setup
COPY . .
# /image has only what runs: no compiler, no wrangler, no development packages, and not Miniflare's
# image library.
RUN make build \
  && node ops/containers/plan.ts \
  && npm ci --omit=dev --no-audit --no-fund \
  && rm -r node_modules/sharp node_modules/@img \
  && mkdir /image \
  && cp -R --parents package.json node_modules ops/containers ops/schema.ts ops/seed.ts \
    ops/workers.ts seed.sql d1-migrations workers/*/build workers/join/assets /image

FROM node:24-bookworm-slim
RUN install -d -o node -g node /data
WORKDIR /registry
COPY --from=build /image ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA=/data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "ops/containers/healthy.ts"]
ENTRYPOINT ["node", "ops/containers/serve.ts"]
