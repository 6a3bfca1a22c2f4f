// The entry point of the gateway, with a cache that all isolates share: Workers Cache, which the platform
// puts in front of the entrypoint `SharedReads` if the configuration enables it (docs/operations.md).
// It is off without the setting SHARED_CACHE.
//
// The gateway calls that entrypoint as the binding SHARED, after it has authorized and counted the
// request. A hit runs no code of ours, so the gateway checks its age and its bookmark afterwards
// (`crates/edge/src/layers/response_cache.rs`).
//
// @ts-expect-error: a module of the platform.
import { WorkerEntrypoint } from "cloudflare:workers";
import worker, { type Context, type Env, handler } from "./entry.ts";

/** The tag of all stored responses. Most of them have places and people, so one is enough. */
const TAG = "registry";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** The forms that change no record. Anybody can send the second one. */
const SESSION_FORMS = /^\/ui\/(enter|forget)\/?$/;

const read = handler<Request, Promise<Response>>("read_shared");

/** Makes responses for the cache. It has no address, so only this worker can call it. */
export class SharedReads extends WorkerEntrypoint {
  declare env: Env;
  declare ctx: Context;

  async fetch(request: Request): Promise<Response> {
    // The cache only answers reads.
    if (request.method !== "GET") {
      await this.ctx.cache?.purge({ tags: [TAG] });
      return new Response(null, { status: 204 });
    }
    const currentAt = Date.now();
    // The response must be current, because its age is counted from here.
    const headers = new Headers(request.headers);
    headers.set("cache-control", "no-cache");
    const made = await read(new Request(request, { headers }), this.env, this.ctx);
    const response = new Response(made.body, made);
    // A stale or partial response has a `Cache-Status`.
    const isStored = made.status === 200 && !made.headers.has("cache-status");
    const age = `public, max-age=${this.env.FRESH_SECONDS}, must-revalidate`;
    // The platform removes these two headers.
    response.headers.set("cloudflare-cdn-cache-control", isStored ? age : "no-store");
    response.headers.set("cache-tag", TAG);
    if (isStored) response.headers.set("x-current-at", String(currentAt));
    // It depends on the address, which is not the client's.
    response.headers.delete("strict-transport-security");
    return response;
  }
}

function isWrite({ method, url }: Request): boolean {
  return !SAFE_METHODS.includes(method) && !SESSION_FORMS.test(new URL(url).pathname);
}

async function fetchWithCache(
  request: Request,
  env: Env,
  ctx: Context,
  cached: { fetch: typeof fetch },
): Promise<Response> {
  const SHARED = { fetch: (url: string, init: RequestInit) => cached.fetch(url, init) };
  const response = await worker.fetch(request, { ...env, SHARED }, ctx);
  if (response.status < 400 && isWrite(request)) {
    // The platform limits the number of purges. Without one, a response ends with its age.
    ctx.waitUntil(cached.fetch("https://shared/", { method: "POST" }).catch(() => {}));
  }
  return response;
}

export default {
  ...worker,
  fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
    const isOn = env.SHARED_CACHE === "on" && env.FRESH_SECONDS;
    const cached = isOn ? ctx.exports?.SharedReads : undefined;
    return cached ? fetchWithCache(request, env, ctx, cached) : worker.fetch(request, env, ctx);
  },
};
