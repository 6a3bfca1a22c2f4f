// Whether the worker of this container answers: its health check.
const url = `http://127.0.0.1:${process.env.PORT}/healthz`;
const { ok } = await fetch(url, { signal: AbortSignal.timeout(2500) });
process.exit(ok ? 0 : 1);
