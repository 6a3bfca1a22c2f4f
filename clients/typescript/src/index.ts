import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";
import { ProblemError } from "./problem.ts";
import { backoff, type Options, sender } from "./send.ts";

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

/** A client of one registry. `api` calls any path with the types of the OpenAPI document. An error
 * response is thrown as a {@link ProblemError}. */
export class Registry {
  readonly api: Client<paths>;
  readonly #base: string;
  readonly #send: (request: Request) => Promise<Response>;

  constructor(baseUrl: string, options: Options = {}) {
    this.#base = baseUrl;
    this.#send = sender(options);
    this.api = createClient<paths>({ baseUrl, fetch: this.#send });
  }

  /** All items of a list, page by page. A change feed ends with the latest change. */
  async *all<P extends ListPath>(
    path: P,
    { query = {}, id }: { query?: Query<P>; id?: number } = {},
  ): AsyncGenerator<Item<P>, void> {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) params.set(name, String(value));
    let next: string | undefined = `${path.replace("{id}", String(id))}?${params}`;
    while (next) {
      const page: Response = await this.#send(new Request(new URL(next, this.#base)));
      yield* (await page.json()) as Item<P>[];
      const link = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      next = link === next ? undefined : link;
    }
  }

  /** All records of an export, in order of id. If the service ends an export before the last record,
   * the rest follows in the next request. */
  async *export<P extends keyof Exports>(
    path: P,
    query?: Omit<NonNullable<Exports[P]["query"]>, "format" | "after">,
  ): AsyncGenerator<Exports[P]["record"], void> {
    const params = new URLSearchParams({ format: "ndjson" });
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) params.set(name, String(value));
    let next: string | undefined = `${path}?${params}`;
    while (next) {
      const file = await this.#send(new Request(new URL(next, this.#base)));
      let end: ExportEnd | undefined;
      for await (const line of lines(file)) {
        const record = JSON.parse(line);
        if ("complete" in record) end = record;
        else yield record;
      }
      if (!end) throw new Error("the export broke off");
      next = end.next;
    }
  }

  /** Deletes a place, and waits until nobody refers to it. `reassignTo` gets its living people. */
  async deletePlace(id: number, { reassignTo }: { reassignTo?: number } = {}): Promise<void> {
    const query = reassignTo === undefined ? "" : `?reassignTo=${reassignTo}`;
    const address = new URL(`/v1/places/${id}${query}`, this.#base);
    const response = await this.#send(new Request(address, { method: "DELETE" }));
    if (response.status !== 202) return;
    const operation = new URL(response.headers.get("location") ?? "", this.#base);
    for (;;) {
      const status = await this.#send(new Request(operation));
      const { status: state } = (await status.json()) as Schemas["Operation"];
      if (state === "done") return;
      if (state === "failed") throw new Error(`the place ${id} was not deleted`);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }

  /** Changes a record with optimistic concurrency: `decide` makes a patch of the current version.
   * If another request changes the record first, `decide` runs again with the new version, after a
   * short random delay. After ten such conflicts, the last one is thrown. */
  async change<P extends keyof Records>(
    path: P,
    id: number,
    decide: (record: Records[P]["record"]) => Records[P]["patch"],
  ): Promise<Versioned<Records[P]["record"]>> {
    const address = new URL(path.replace("{id}", String(id)), this.#base);
    for (let attempt = 1; ; attempt++) {
      const { record, etag } = await versioned<Records[P]["record"]>(
        this.#send(new Request(address)),
      );
      const headers = { "content-type": "application/merge-patch+json", "if-match": etag };
      const body = JSON.stringify(decide(record));
      try {
        return await versioned(
          this.#send(new Request(address, { method: "PATCH", headers, body })),
        );
      } catch (error) {
        const isConflict = error instanceof ProblemError && error.is("precondition-failed");
        if (!isConflict || attempt === CHANGE_ATTEMPTS) throw error;
      }
      await backoff(attempt);
    }
  }
}

/** A client of the registry at an address: `connect("https://example.org", { token })`. */
export function connect(baseUrl: string, options?: Options): Registry {
  return new Registry(baseUrl, options);
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
  // Without a tag, the next write would have no condition.
  if (!etag) throw new Error(`the response of ${response.url} has no ETag`);
  return { record: (await response.json()) as T, etag };
}

/** The body of a response: `const person = await body(registry.api.GET(…))`. */
export async function body<T>(request: Promise<{ data?: T }>): Promise<T> {
  return (await request).data as T;
}
