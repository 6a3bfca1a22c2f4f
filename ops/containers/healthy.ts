// The health check of a container. It exits with 0 if the container's worker responds.
const url = `http://127.0.0.1:${process.env.PORT}/healthz`;
const { ok } = await fetch(url, { signal: AbortSignal.timeout(2500) });
process.exit(ok ? 0 : 1);
