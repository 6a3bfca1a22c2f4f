import { isRead, ProblemError } from "./problem.ts";

export type Options = {
  /** Needed for writes, and for reads if the registry does not allow public reads. */
  token?: string;
  /** The maximum number of retries of a request. The default is 3. */
  retries?: number;
  /** Sends the session bookmark of earlier responses, so that no replica responds with older data.
   * The default is true. */
  follow?: boolean;
  /** The maximum time until a response begins, with all retries, in milliseconds. The default is
   * 5 minutes, because a long import takes minutes. */
  timeout?: number;
  /** Replaces the platform's `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
};

const BOOKMARK = "x-d1-bookmark";

/** The longest `Retry-After` that the client waits for, in milliseconds. */
const MAX_WAIT = 60_000;

/** The longest time of a timer of the platform, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/** Waits. An abort ends the wait with its reason. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Waits a random time, which grows with the number of attempts to at most a second. The randomness
 * keeps clients with the same conflict apart. */
export function backoff(attempt: number, signal?: AbortSignal): Promise<void> {
  return wait(Math.random() * Math.min(20 * 2 ** attempt, 1000), signal);
}

/** The bookmarks of both databases in a header: `PLACES.PEOPLE`, or one constraint for both. */
function parts(bookmark: string): [string, string] {
  const [places = "", people = places] = bookmark.split(".");
  return [places, people];
}

/** The bookmark to send after a response: for each database that the response read, its bookmark.
 * `known` is the bookmark so far, and `sent` is that of the request. If another response has arrived
 * in the meantime, the later bookmark stays. Otherwise the response always replaces what was known,
 * because after a restore a new bookmark can be the smaller one. If the server sends none any more,
 * there is none to send. */
export function nextBookmark(known: string, sent: string, received: string | null): string {
  if (!received) return known === sent ? "" : known;
  const [before, requested] = [parts(known), parts(sent)];
  const next = parts(received).map((part, database) => {
    const current = before[database] ?? "";
    if (part === "") return current;
    return current === requested[database] || current < part ? part : current;
  });
  return next.join(".");
}

/** Whether a request adds a record or is a batch. With an idempotency key it is done once. */
const isCreation = ({ method, url }: Request) =>
  method === "POST" && /\/v1\/(places|people)(\/batch)?\/?$/.test(new URL(url).pathname);

/** Whether a repeated request has no second effect. */
const isRepeatable = ({ method, headers }: Request) =>
  isRead(method) || (method === "POST" && headers.has("idempotency-key"));

/** The milliseconds that a `Retry-After` asks for: a number of seconds or an HTTP-date. */
function parseRetryAfter(value: string): number {
  return /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
}

/** The milliseconds until a retry, or nothing if the request must not be repeated. */
function delay(request: Request, failure: unknown, attempt: number): number | undefined {
  const { problem, response } = failure instanceof ProblemError ? failure : {};
  const retryAfter = response?.headers.get("retry-after");
  const hadNoEffect = retryAfter && !problem?.outcome;
  const isTemporary = !response || response.status >= 500 || response.status === 429;
  if (!hadNoEffect && !(isTemporary && isRepeatable(request))) return undefined;
  const shortest = 100 * 2 ** attempt;
  // The clock of this client may be wrong, and the header invalid (NaN).
  const milliseconds = Math.max(shortest, parseRetryAfter(retryAfter ?? "") || 0);
  return milliseconds <= MAX_WAIT ? milliseconds : undefined;
}

/** The requests of a body that is being read. In Node, the signal of a request that was freed no longer
 * aborts the body. */
const requests = new WeakMap<ReadableStream, Request[]>();

/** Creates a `fetch` that adds the token, the session bookmark and the idempotency key of a creation,
 * retries requests that are safe to repeat, and throws error responses. */
export function sender({
  token,
  retries = 3,
  follow = true,
  timeout = 300_000,
  fetch = globalThis.fetch,
}: Options) {
  let bookmark = "";

  const attemptOnce = async (request: Request, sent: string): Promise<Response> => {
    const response = await fetch(request);
    const received = response.headers.get(BOOKMARK);
    const isDone = response.ok || response.status === 304;
    // An error may come from before the first read.
    if (isDone || received) bookmark = nextBookmark(bookmark, sent, received);
    if (!isDone) throw await ProblemError.from(response, request.method);
    return response;
  };

  const repeat = async (request: Request, signal: AbortSignal): Promise<Response> => {
    const sent = bookmark;
    if (follow && sent && !request.headers.has(BOOKMARK)) request.headers.set(BOOKMARK, sent);
    for (let attempt = 0; ; attempt++) {
      const copy = new Request(request.clone(), { signal });
      try {
        const response = await attemptOnce(copy, sent);
        if (response.body) requests.set(response.body, [request, copy]);
        return response;
      } catch (error) {
        const milliseconds = delay(request, error, attempt);
        if (milliseconds === undefined || attempt >= retries || signal.aborted) throw error;
        await wait(milliseconds, signal);
      }
    }
  };

  return async (request: Request): Promise<Response> => {
    if (token) request.headers.set("authorization", `Bearer ${token}`);
    if (isCreation(request) && !request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", crypto.randomUUID());
    }
    const deadline = new AbortController();
    const expire = () =>
      deadline.abort(new DOMException(`no response in ${timeout} ms`, "TimeoutError"));
    const timer = setTimeout(expire, Math.min(timeout, MAX_TIMER));
    try {
      return await repeat(request, AbortSignal.any([request.signal, deadline.signal]));
    } finally {
      // A body may take longer, such as that of an export or a stream of changes.
      clearTimeout(timer);
    }
  };
}
