import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";
import { ProblemError } from "./problem.ts";
import { backoff, type Options, sender, wait } from "./send.ts";

export type { components, paths } from "./api.ts";
export { type Kind, type Problem, ProblemError } from "./problem.ts";
export type { Options } from "./send.ts";

type Schemas = components["schemas"];
export type Place = Schemas["Place"];
export type Person = Schemas["Person"];
/** A person, with the place if `expand: "place"` asked for it. */
export type PersonWithPlace = Schemas["PersonWithPlace"];
export type PlaceWithPeople = Schemas["PlaceWithPeople"];
export type Statistics = Schemas["Statistics"];
export type Change = Schemas["Change"];

type ListOf<T> = { get: { responses: { 200: { content: { "application/json": T[] } } } } };

/** The paths of lists. */
export type ListPath = {
  [P in keyof paths]: paths[P] extends ListOf<unknown> ? P : never;
}[keyof paths];

/** The items of a list. */
export type Item<P extends ListPath> = paths[P] extends ListOf<infer T> ? T : never;

/** The query parameters of a list. */
export type Query<P extends ListPath> = paths[P]["get"]["parameters"]["query"];

type Records = {
  "/v1/places/{id}": { record: Place; patch: Schemas["PlacePatch"] };
  "/v1/people/{id}": { record: Person; patch: Schemas["PersonPatch"] };
};

type Exports = {
  "/v1/places/export": {
    record: Place;
    query: paths["/v1/places/export"]["get"]["parameters"]["query"];
  };
  "/v1/people/export": {
    record: PersonWithPlace;
    query: paths["/v1/people/export"]["get"]["parameters"]["query"];
  };
  "/v1/statistics/export": {
    record: Statistics;
    query: paths["/v1/statistics/export"]["get"]["parameters"]["query"];
  };
};

/** The last line of an export. */
type ExportEnd = { complete: boolean; next?: string };

/** A record and the ETag of its version. */
export type Versioned<T> = { record: T; etag: string };

/** The maximum number of attempts of {@link Registry.change}. */
const CHANGE_ATTEMPTS = 10;

/** The time between two reads of the status of a deletion, in milliseconds. */
const POLL_INTERVAL = 2_000;

/** How long {@link Registry.deletePlace} waits without a `signal`, in milliseconds. */
const DELETION_TIMEOUT = 600_000;

/** An abort ends a call with the reason of the signal, also while it waits. */
type Abortable = { signal?: AbortSignal | undefined };

/** A client of one registry. `api` calls any path with the types of the OpenAPI document. An error
 * response is thrown as a {@link ProblemError}. */
export class Registry {
  readonly api: Client<paths>;
  readonly #base: string;
  readonly #send: (request: Request) => Promise<Response>;

  constructor(baseUrl: string, options: Options = {}) {
    this.#base = baseUrl.replace(/\/$/, "");
    this.#send = sender(options);
    this.api = createClient<paths>({ baseUrl: this.#base, fetch: this.#send });
  }

  /** Sends a request to a path of the API. */
  #request(path: string, init?: RequestInit): Promise<Response> {
    return this.#send(new Request(this.#base + path, init));
  }

  /** The path of a link of the API. A proxy may have added the path of the base URL to it. */
  #path(link: string): string {
    const anyOrigin = "http://localhost";
    const prefix = new URL(this.#base, anyOrigin).pathname.replace(/\/$/, "");
    const { pathname, search } = new URL(link, anyOrigin);
    const hasPrefix = pathname.startsWith(`${prefix}/v1/`);
    return (hasPrefix ? pathname.slice(prefix.length) : pathname) + search;
  }

  /** All items of a list, page by page. A change feed ends with the latest change. */
  async *all<P extends ListPath>(
    path: P,
    { query = {}, id, signal }: { query?: Query<P>; id?: number } & Abortable = {},
  ): AsyncGenerator<Item<P>, void> {
    const params = parameters(query);
    let next: string | undefined = `${path.replace("{id}", String(id))}?${params}`;
    while (next) {
      const page: Response = await this.#request(next, { signal });
      yield* (await page.json()) as Item<P>[];
      // A proxy may have added other links.
      const link = /<([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
      const following = link && this.#path(link);
      next = following === next ? undefined : following;
    }
  }

  /** All records of an export, in order of id. If the service ends an export before the last record,
   * the rest follows in the next request. */
  async *export<P extends keyof Exports>(
    path: P,
    query?: Omit<NonNullable<Exports[P]["query"]>, "format" | "after">,
    { signal }: Abortable = {},
  ): AsyncGenerator<Exports[P]["record"], void> {
    const params = parameters({ format: "ndjson", ...query });
    let next: string | undefined = `${path}?${params}`;
    while (next) {
      const file = await this.#request(next, { signal });
      let end: ExportEnd | undefined;
      for await (const line of lines(file)) {
        const record = JSON.parse(line);
        if ("complete" in record) end = record;
        else yield record;
      }
      if (!end) throw new Error("the export broke off");
      next = end.next && this.#path(end.next);
    }
  }

  /** Deletes a place, and waits until nobody refers to it. `reassignTo` gets its living people.
   * Without a `signal`, it waits for ten minutes at most. After that, or after an abort, the service
   * continues the deletion. */
  async deletePlace(
    id: number,
    {
      reassignTo,
      signal = AbortSignal.timeout(DELETION_TIMEOUT),
    }: { reassignTo?: number } & Abortable = {},
  ): Promise<void> {
    const query = reassignTo === undefined ? "" : `?reassignTo=${reassignTo}`;
    const response = await this.#request(`/v1/places/${id}${query}`, { method: "DELETE", signal });
    if (response.status === 204) return;
    const location = response.status === 202 && response.headers.get("location");
    if (!location) {
      await response.body?.cancel();
      throw new Error(
        `the place ${id} may not be deleted yet: the response ${response.status} names no operation`,
      );
    }
    for (;;) {
      const operation = await this.#request(this.#path(location), { signal });
      const { status } = (await operation.json()) as Schemas["Operation"];
      if (status === "done") return;
      if (status === "failed") throw new Error(`the place ${id} was not deleted`);
      if (status !== "running") throw new Error(`${operation.url} has no status of a deletion`);
      await wait(POLL_INTERVAL, signal);
    }
  }

  /** Changes a record with optimistic concurrency: `decide` makes a patch of the current version.
   * If another request changes the record first, `decide` runs again with the new version, after a
   * short random delay. After ten such conflicts, the last one is thrown. */
  async change<P extends keyof Records>(
    path: P,
    id: number,
    decide: (record: Records[P]["record"]) => Records[P]["patch"],
    { signal }: Abortable = {},
  ): Promise<Versioned<Records[P]["record"]>> {
    const address = path.replace("{id}", String(id));
    for (let attempt = 1; ; attempt++) {
      const { record, etag } = await versioned<Records[P]["record"]>(
        this.#request(address, { signal }),
      );
      const headers = { "content-type": "application/merge-patch+json", "if-match": etag };
      const body = JSON.stringify(decide(record));
      try {
        return await versioned(this.#request(address, { method: "PATCH", headers, body, signal }));
      } catch (error) {
        const isConflict = error instanceof ProblemError && error.is("precondition-failed");
        if (!isConflict || attempt === CHANGE_ATTEMPTS) throw error;
      }
      await backoff(attempt, signal);
    }
  }
}

/** A client of the registry at an address: `connect("https://example.org", { token })`. */
export function connect(baseUrl: string, options?: Options): Registry {
  return new Registry(baseUrl, options);
}

/** The parameters of a query that have a value. */
function parameters(query: object | null | undefined): URLSearchParams {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}

/** The lines of a body. A last line without a line break is not complete. */
async function* lines({ body }: Response): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    const all = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = all.pop() ?? "";
    yield* all;
  }
}

async function versioned<T>(request: Promise<Response>): Promise<Versioned<T>> {
  const response = await request;
  // A proxy that compresses the response marks the tag as weak. It identifies the same version.
  const etag = response.headers.get("etag")?.replace(/^W\//, "");
  const record = (await response.json()) as T;
  // Without a tag, the next write would have no condition.
  if (!etag) throw new Error(`the response of ${response.url} has no ETag`);
  return { record, etag };
}

/** The body of a response: `const person = await body(registry.api.GET(…))`. */
export async function body<T>(request: Promise<{ data?: T }>): Promise<T> {
  return (await request).data as T;
}
