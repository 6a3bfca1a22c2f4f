// A main module that wraps the gateway `index.js` and puts a cache in front of its entrypoint
// `SharedReads`, which behaves as the documentation of Workers Cache says
// (developers.cloudflare.com/workers/cache). workerd has none.
//
// There are two instances of the gateway, which share nothing but that cache, as two isolates do. A
// request with the header `x-isolate` goes to the second one.
//
// `GET /shared-cache` returns the requests to the cache since the last call, and the keys of the stored
// responses. `?fault=` makes the cache fail: `throws`, `hangs`, `keeps` (nothing expires) or `limits` (no
// purge succeeds).

export type SharedCacheState = {
  requests: { method: string; headers: string[] }[];
  /** The paths with their queries. */
  stored: string[];
  /** The purges that succeeded. */
  purges: number;
};

export const sharedCache = `
  import First, { SharedReads as Reads } from "./index.js";
  import Second from "./second/index.js";
  const stored = new Map();
  let requests = [];
  let purges = 0;
  let fault;

  // Without a directive the platform caches these statuses.
  const HEURISTIC = { 200: 7200, 203: 7200, 204: 7200, 300: 1200, 301: 1200, 404: 180, 405: 60, 410: 180 };
  const list = (text) => (text ?? "").split(",").map((part) => part.trim().toLowerCase()).filter(Boolean);

  /** The time in seconds for which a response is stored. */
  const maxAge = (request, { status, headers }) => {
    const control =
      headers.get("cloudflare-cdn-cache-control") ??
      headers.get("cdn-cache-control") ??
      headers.get("cache-control");
    if (headers.has("set-cookie") || list(headers.get("vary")).includes("*")) return 0;
    if (control === null) return request.headers.has("authorization") ? 0 : (HEURISTIC[status] ?? 0);
    const directives = list(control);
    if (directives.some((name) => name === "no-store" || name.startsWith("private"))) return 0;
    const isShared = directives.some((name) => /^(public|must-revalidate|s-maxage=)/.test(name));
    if (request.headers.has("authorization") && !isShared) return 0;
    return Number(/(?:^|[ ,])(?:s-maxage|max-age)=(\\d+)/.exec(control)?.[1] ?? HEURISTIC[status] ?? 0);
  };

  const purge = async ({ tags }) => {
    if (fault === "limits") return { success: false, errors: [{ code: 1, message: "rate limit" }] };
    purges += 1;
    for (const [key, variants] of stored) {
      if (variants.some((variant) => tags.some((tag) => variant.tags.includes(tag)))) stored.delete(key);
    }
    return { success: true, errors: [] };
  };

  const fetchCached = async (entrypoint, url, init) => {
    const request = new Request(url, init);
    requests.push({ method: request.method, headers: [...request.headers.keys()] });
    if (fault === "throws") throw new Error("no cache");
    if (fault === "hangs") return new Promise(() => {});
    if (request.method !== "GET" && request.method !== "HEAD") return entrypoint.fetch(request);
    const { pathname, search } = new URL(url);
    const key = pathname + search;
    const variants = stored.get(key) ?? [];
    const now = Date.now();
    const found = variants.find(
      ({ varies, expires }) =>
        (expires > now || fault === "keeps") &&
        varies.every(([name, value]) => request.headers.get(name) === value),
    );
    if (found) {
      const response = new Response(found.body, found);
      response.headers.set("age", String(Math.floor((now - found.at) / 1000)));
      response.headers.set("cf-cache-status", "HIT");
      return response;
    }
    const made = await entrypoint.fetch(request);
    const seconds = maxAge(request, made);
    const tags = list(made.headers.get("cache-tag"));
    const headers = new Headers(made.headers);
    headers.delete("cloudflare-cdn-cache-control");
    headers.delete("cache-tag");
    const body = await made.arrayBuffer();
    if (seconds > 0) {
      const varies = list(headers.get("vary")).map((name) => [name, request.headers.get(name)]);
      const kept = { status: made.status, headers: new Headers(headers), body, tags, varies };
      stored.set(key, [...variants, { ...kept, at: now, expires: now + seconds * 1000 }]);
    }
    headers.set("cf-cache-status", seconds > 0 ? "MISS" : "BYPASS");
    return new Response(body, { status: made.status, headers });
  };

  export class SharedReads extends Reads {
    fetch(request) {
      Object.defineProperty(this.ctx, "cache", { value: { purge } });
      return super.fetch(request);
    }
  }

  export default {
    fetch(request, env, ctx) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/shared-cache") {
        if (searchParams.has("fault")) fault = searchParams.get("fault");
        const state = { requests, stored: [...stored.keys()], purges };
        requests = [];
        return Response.json(state);
      }
      const entrypoint = ctx.exports.SharedReads;
      const exports = { SharedReads: { fetch: (...args) => fetchCached(entrypoint, ...args) } };
      const instance = request.headers.has("x-isolate") ? Second : First;
      const waitUntil = (promise) => ctx.waitUntil(promise);
      return instance.fetch(request, env, { waitUntil, exports });
    },
  };
`;
