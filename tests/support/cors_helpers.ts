// Sends requests from other origins, and checks the CORS headers of the responses.
import { request } from "node:http";
import { people, places } from "./fixtures.ts";
import { type Options, start, type WorkerClient } from "./harness.ts";
import { bearer, tokenHash } from "./tokens.ts";

export const allowedOrigin = "https://map.example";
export const localOrigin = "http://localhost:5173";
/** A list with spaces, and with entries that must not allow any origin. */
export const originList = ` ${allowedOrigin} ,${localOrigin}, null, *`;

const token = "the-token-of-a-page";

/** A system with closed writes. Open writes reject other origins (see open_writes.test.ts). */
export const startWithOrigins = (setting?: string, options: Options = {}) =>
  start({
    ...{ places, people, ...options },
    gatewaySettings: {
      TOKENS: `write:anna:${tokenHash(token)}`,
      ...(setting && { ALLOWED_ORIGINS: setting }),
    },
  });

/** The token that writes need. */
export const withToken = bearer(token);

/** The headers that a response exposes to other origins. */
export const EXPOSED_HEADERS = [
  ...["Accept-Patch", "Accept-Post", "Age", "Allow", "Cache-Status", "Content-Disposition"],
  ...["ETag", "Idempotency-Replayed", "Link", "Location", "Preference-Applied"],
  ...["RateLimit", "RateLimit-Policy", "Retry-After"],
  ...[
    "Server-Timing",
    "WWW-Authenticate",
    "X-Change-Counter",
    "X-D1-Bookmark",
    "X-Largest-Total",
    "X-More-Changes",
    "X-Request-Id",
  ],
  ...["X-Total-Count", "X-Total-Count-Relation", "X-Total-Dead", "X-Total-Living"],
  "X-Total-Nowhere",
].join(", ");
/** The headers that other origins may send. */
export const REQUEST_HEADERS = [
  ...["Accept", "Authorization", "Cache-Control", "Content-Type", "Idempotency-Key", "If-Match"],
  ...["If-None-Match", "Last-Event-ID", "Prefer", "X-D1-Bookmark", "X-Request-Id", "traceparent"],
].join(", ");

type Headers = Record<string, string>;
/** A request and its expected status. */
export type RequestCase = [
  method: string,
  path: string,
  status: number,
  headers?: Headers,
  body?: string,
];

export type RawResponse = { status: number; headers: Headers; raw: string[]; text: string };

/** Sends a request with a token, and with headers that `fetch` does not allow. */
export function sendFrom(
  worker: WorkerClient,
  [method, path, , headers, body]: RequestCase,
  more: Headers = {},
) {
  return new Promise<RawResponse>((resolve, reject) => {
    // A separate connection, because the worker closes one whose body it did not read.
    const options = { method, headers: { ...withToken, ...headers, ...more }, agent: false };
    const sent = request(`${worker.url.origin}${path}`, options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      incoming.on("end", () => {
        const raw = incoming.rawHeaders.filter((_, n) => n % 2 === 0);
        const status = incoming.statusCode ?? 0;
        resolve({ status, headers: incoming.headers as Headers, raw, text });
      });
    });
    sent.on("error", reject).end(body);
  });
}

/** The CORS headers of a response. */
export const corsHeaders = ({ headers }: RawResponse): Headers => {
  const names = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
  return Object.fromEntries(names.map((name) => [name, headers[name] ?? ""]));
};
/** A problem without its request id. */
export const withoutRequestId = (text: string) => text.replace(/"requestId":"[0-9a-f]{32}"/, "");
export const varyOf = ({ headers }: RawResponse) =>
  (headers.vary ?? "").split(", ").filter(Boolean);
export const fromOrigin = (origin: string) => ({ origin });
export const requestMethod = (method: string) => ({ "access-control-request-method": method });
export const allowedHeaders = (origin: string) => ({
  "access-control-allow-origin": origin,
  "access-control-expose-headers": EXPOSED_HEADERS,
});
