// One worker, asked over its socket, and what it answers.

export type Answer = {
  status: number;
  /** Without the tag, those that only the connection is about, and those that every answer has
   * (see security.test.ts). */
  headers: Record<string, string>;
  /** All of them. */
  all: Headers;
  /** The entity tag, empty where there is none. */
  etag: string;
  /** Where it came from, which is never the same twice: `Server-Timing`. */
  timing: string;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests are what says which shape it has
  json: any;
};

const apart = new Set(["connection", "content-length", "date", "keep-alive", "etag"]);
for (const name of ["server-timing", "transfer-encoding", "x-d1-bookmark"]) apart.add(name);
export const always = ["permissions-policy", "cross-origin-resource-policy", "x-request-id"];
for (const name of always) apart.add(name);

function isProblem(response: Response): boolean {
  return response.headers.get("content-type") === "application/problem+json";
}

/** One worker, asked over its socket. */
export class Worker {
  readonly url: URL;

  constructor(url: URL) {
    this.url = url;
  }

  async ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Answer> {
    const address = `${this.url.origin}${path}`;
    const init: RequestInit = { method, headers, redirect: "manual" };
    if (body !== undefined) init.body = body;
    const response = await fetch(address, init);
    const text = await response.text();
    const isSaid = ([name, value]: [string, string]) =>
      !apart.has(name) && !(name === "referrer-policy" && value === "no-referrer");
    const kept = [...response.headers].filter(isSaid);
    const answer = {
      status: response.status,
      headers: Object.fromEntries(kept),
      etag: response.headers.get("etag") ?? "",
      timing: "",
      all: response.headers,
      text,
      get json() {
        const json = JSON.parse(text);
        // What a problem's request is called differs from one to the next.
        if (isProblem(response)) delete json.requestId;
        return json;
      },
    };
    // Of two answers that are compared it says nothing.
    const timing = response.headers.get("server-timing") ?? "";
    return Object.defineProperty(answer, "timing", { value: timing, enumerable: false });
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.ask("GET", path, headers);
  }

  /** Sends a JSON body. */
  send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const type = { "content-type": "application/json", ...headers };
    return this.ask(method, path, type, JSON.stringify(body));
  }

  /** Every page from `path` on, by following the links. */
  async pages(path: string): Promise<Answer[]> {
    const pages = [];
    for (let next: string | undefined = path; next; ) {
      const page: Answer = await this.get(next);
      if (page.status !== 200) throw new Error(`${next}: ${page.status} ${page.text}`);
      pages.push(page);
      next = nextOf(page);
    }
    return pages;
  }
}

/** The records of a list, as they are written: a JSON array, one a line. */
export function array(records: object[]): string {
  return `[${records.map((record) => JSON.stringify(record)).join(",\n")}]`;
}

/** Where the page's Link header leads. */
export function nextOf(page: Answer): string | undefined {
  return /^<(\/[^>]*)>; rel="next"$/.exec(page.headers.link ?? "")?.[1];
}
