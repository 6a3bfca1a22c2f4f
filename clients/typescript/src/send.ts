import { ProblemError } from "./problem.ts";

export type Options = {
  /** Needed for writes, and for reads if the registry does not allow public reads. */
  token?: string;
  /** The maximum number of retries of a request. The default is 3. */
  retries?: number;
  /** Sends the session bookmark of earlier responses, so that no replica responds with older data.
   * The default is true. */
  follow?: boolean;
  /** Replaces the platform's `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
};

const BOOKMARK = "x-d1-bookmark";

/** Waits a random time, which grows with the number of attempts to at most a second. The randomness
 * keeps clients with the same conflict apart. */
export async function backoff(attempt: number): Promise<void> {
  const milliseconds = Math.random() * Math.min(20 * 2 ** attempt, 1000);
  await new Promise((done) => setTimeout(done, milliseconds));
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
  method === "GET" || method === "HEAD" || (method === "POST" && headers.has("idempotency-key"));

/** The seconds until a retry, or nothing if the request must not be repeated. */
function delay(request: Request, response: Response | undefined, attempt: number) {
  const retryAfter = response?.headers.get("retry-after");
  // A 409, or the 422 of a batch, says that the request had no effect.
  if (retryAfter && (response?.status === 409 || response?.status === 422))
    return Number(retryAfter);
  const isFinal = response && response.status < 500 && response.status !== 429;
  if (isFinal || !isRepeatable(request)) return undefined;
  return retryAfter ? Number(retryAfter) : 0.1 * 2 ** attempt;
}

/** Creates a `fetch` that adds the token, the session bookmark and the idempotency key of a creation,
 * retries requests that are safe to repeat, and throws error responses. */
export function sender({ token, retries = 3, follow = true, fetch = globalThis.fetch }: Options) {
  let bookmark = "";
  return async (request: Request): Promise<Response> => {
    if (token) request.headers.set("authorization", `Bearer ${token}`);
    if (isCreation(request) && !request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", crypto.randomUUID());
    }
    const sent = bookmark;
    if (follow && sent && !request.headers.has(BOOKMARK)) request.headers.set(BOOKMARK, sent);
    for (let attempt = 0; ; attempt++) {
      let response: Response | undefined;
      let failure: unknown;
      try {
        response = await fetch(request.clone());
      } catch (error) {
        failure = error;
      }
      const received = response?.headers.get(BOOKMARK) ?? null;
      const isDone = response?.ok || response?.status === 304;
      // An error may come from before the first read.
      if (isDone || received) bookmark = nextBookmark(bookmark, sent, received);
      if (response && isDone) return response;
      const seconds = request.signal.aborted ? undefined : delay(request, response, attempt);
      if (seconds === undefined || attempt >= retries) {
        throw response ? await ProblemError.from(response) : failure;
      }
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  };
}
