import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";
import { ProblemError } from "./problem.ts";
import { type Options, sender } from "./send.ts";

export type { components, paths } from "./api.ts";
export { type Kind, type Problem, ProblemError } from "./problem.ts";
export type { Options } from "./send.ts";

type Schemas = components["schemas"];
export type Place = Schemas["Place"];
export type Person = Schemas["Person"];
export type PlaceWithPeople = Schemas["PlaceWithPeople"];
export type Statistics = Schemas["Statistics"];
export type Change = Schemas["Change"];

type ListOf<T> = { get: { responses: { 200: { content: { "application/json": T[] } } } } };

/** The addresses of lists. */
export type ListPath = {
  [P in keyof paths]: paths[P] extends ListOf<unknown> ? P : never;
}[keyof paths];

/** What a list is of. */
export type Item<P extends ListPath> = paths[P] extends ListOf<infer T> ? T : never;

/** What can be asked of a list. */
export type Query<P extends ListPath> = paths[P]["get"]["parameters"]["query"];

type Records = {
  "/v1/places/{id}": { record: Place; patch: Schemas["PlacePatch"] };
  "/v1/people/{id}": { record: Person; patch: Schemas["PersonPatch"] };
};

/** A record in the version that its tag names. */
export type Versioned<T> = { record: T; etag: string };

/** A registry. `api` asks any of its addresses, each with the types of the OpenAPI document; an
 * answer that is an error is thrown as a {@link ProblemError}. */
export class Registry {
  readonly api: Client<paths>;
  readonly #base: string;
  readonly #send: (request: Request) => Promise<Response>;

  constructor(baseUrl: string, options: Options = {}) {
    this.#base = baseUrl;
    this.#send = sender(options);
    this.api = createClient<paths>({ baseUrl, fetch: this.#send });
  }

  /** Everything in a list, page by page. The feeds of changes end with what is there now. */
  async *all<P extends ListPath>(
    path: P,
    { query = {}, id }: { query?: Query<P>; id?: number } = {},
  ): AsyncGenerator<Item<P>, void> {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) asked.set(name, String(value));
    let next: string | undefined = `${path.replace("{id}", String(id))}?${asked}`;
    while (next) {
      const page: Response = await this.#send(new Request(new URL(next, this.#base)));
      yield* (await page.json()) as Item<P>[];
      const link = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      next = link === next ? undefined : link;
    }
  }

  /** Changes a record, and nobody else's work: what is decided by one version is written over
   * that version alone, and decided anew where somebody else was faster. */
  async change<P extends keyof Records>(
    path: P,
    id: number,
    decide: (record: Records[P]["record"]) => Records[P]["patch"],
  ): Promise<Versioned<Records[P]["record"]>> {
    const address = new URL(path.replace("{id}", String(id)), this.#base);
    for (;;) {
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
        if (!(error instanceof ProblemError && error.is("precondition-failed"))) throw error;
      }
    }
  }
}

/** A registry at an address: `connect("https://example.org", { token })`. */
export function connect(baseUrl: string, options?: Options): Registry {
  return new Registry(baseUrl, options);
}

async function versioned<T>(answer: Promise<Response>): Promise<Versioned<T>> {
  const response = await answer;
  return { record: (await response.json()) as T, etag: response.headers.get("etag") ?? "" };
}

/** The body of an answer: `const person = await body(registry.api.GET(…))`. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
