import { ProblemError } from "./problem.ts";

export type Options = {
  /** Needed to write, and to read where that is not open to all. */
  token?: string;
  /** How often a request is sent again at most: 3 times, unless said otherwise. */
  retries?: number;
  /** Asks with what was seen last, so that no answer is older than one before, whichever replica
   * gives it. True, unless said otherwise. */
  follow?: boolean;
  /** Instead of the platform's own. */
  fetch?: (request: Request) => Promise<Response>;
};

const BOOKMARK = "x-d1-bookmark";

/** What has been seen by who has seen both: of each register the greater bookmark. */
function both(one: string, other: string): string {
  if (!one.includes(".") || !other.includes(".")) return other || one;
  const [places = "", people = ""] = one.split(".");
  const [otherPlaces = "", otherPeople = ""] = other.split(".");
  const later = (a: string, b: string) => (a > b ? a : b);
  return `${later(places, otherPlaces)}.${later(people, otherPeople)}`;
}

const isCreation = ({ method, url }: Request) =>
  method === "POST" && /\/v1\/(places|people)\/?$/.test(new URL(url).pathname);

/** Whether it can be sent again although it may have been done. */
const isRepeatable = ({ method, headers }: Request) =>
  method === "GET" || method === "HEAD" || (method === "POST" && headers.has("idempotency-key"));

/** Seconds until another try, or none where it makes no sense. */
function delay(request: Request, response: Response | undefined, tries: number) {
  const asked = response?.headers.get("retry-after");
  // Only what was not done is answered so.
  if (response?.status === 409 && asked) return Number(asked);
  const isOurs = response && response.status < 500 && response.status !== 429;
  if (isOurs || !isRepeatable(request)) return undefined;
  return asked ? Number(asked) : 0.1 * 2 ** tries;
}

/** How requests are sent: with the token, with a key of their own where they
 * add a record, with how far the registers were seen, and again where that cannot do anything twice. An error is thrown. */
export function sender({ token, retries = 3, follow = true, fetch = globalThis.fetch }: Options) {
  let seen = "";
  return async (request: Request): Promise<Response> => {
    if (token) request.headers.set("authorization", `Bearer ${token}`);
    if (isCreation(request) && !request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", crypto.randomUUID());
    }
    if (follow && seen && !request.headers.has(BOOKMARK)) request.headers.set(BOOKMARK, seen);
    for (let tries = 0; ; tries++) {
      let response: Response | undefined;
      let failure: unknown;
      try {
        response = await fetch(request.clone());
      } catch (error) {
        failure = error;
      }
      seen = both(seen, response?.headers.get(BOOKMARK) ?? seen);
      if (response?.ok || response?.status === 304) return response;
      const seconds = request.signal.aborted ? undefined : delay(request, response, tries);
      if (seconds === undefined || tries >= retries) {
        throw response ? await ProblemError.of(response) : failure;
      }
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  };
}
