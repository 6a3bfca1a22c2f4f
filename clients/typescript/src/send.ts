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

/** Merges two bookmarks: takes the later one of each database. */
function merge(known: string, other: string): string {
  if (!known.includes(".") || !other.includes(".")) return other || known;
  const [places = "", people = ""] = known.split(".");
  const [otherPlaces = "", otherPeople = ""] = other.split(".");
  const later = (a: string, b: string) => (a > b ? a : b);
  return `${later(places, otherPlaces)}.${later(people, otherPeople)}`;
}

const isCreation = ({ method, url }: Request) =>
  method === "POST" && /\/v1\/(places|people)\/?$/.test(new URL(url).pathname);

/** Whether a repeated request has no second effect. */
const isRepeatable = ({ method, headers }: Request) =>
  method === "GET" || method === "HEAD" || (method === "POST" && headers.has("idempotency-key"));

/** The seconds until a retry, or nothing if the request must not be repeated. */
function delay(request: Request, response: Response | undefined, attempt: number) {
  const retryAfter = response?.headers.get("retry-after");
  // This 409 says that the request had no effect.
  if (response?.status === 409 && retryAfter) return Number(retryAfter);
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
    if (follow && bookmark && !request.headers.has(BOOKMARK)) {
      request.headers.set(BOOKMARK, bookmark);
    }
    for (let attempt = 0; ; attempt++) {
      let response: Response | undefined;
      let failure: unknown;
      try {
        response = await fetch(request.clone());
      } catch (error) {
        failure = error;
      }
      bookmark = merge(bookmark, response?.headers.get(BOOKMARK) ?? bookmark);
      if (response?.ok || response?.status === 304) return response;
      const seconds = request.signal.aborted ? undefined : delay(request, response, attempt);
      if (seconds === undefined || attempt >= retries) {
        throw response ? await ProblemError.from(response) : failure;
      }
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  };
}
