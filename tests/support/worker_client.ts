// An HTTP client for one worker, and the responses that it returns.

export type ApiResponse = {
  status: number;
  /** Without the entity tag, the connection's headers, and the headers that every response has
   * (see security.test.ts). */
  headers: Record<string, string>;
  allHeaders: Headers;
  /** The entity tag, or an empty string. */
  etag: string;
  /** `Server-Timing`, which differs on every request. */
  timing: string;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test states the shape that it expects
  json: any;
};

const COMMON_HEADERS = ["permissions-policy", "cross-origin-resource-policy", "x-request-id"];
const IGNORED_HEADERS = new Set([
  ...["connection", "content-length", "date", "keep-alive", "etag"],
  ...["server-timing", "transfer-encoding", "x-d1-bookmark"],
  ...COMMON_HEADERS,
]);

function isProblem(response: Response): boolean {
  return response.headers.get("content-type") === "application/problem+json";
}

/** The largest body that every route reads to its end, in bytes. */
const MAX_BODY = 64 * 1024;

export class WorkerClient {
  readonly url: URL;
  /** Aborts all requests of this client, which closes their connections. */
  signal?: AbortSignal;

  constructor(url: URL) {
    this.url = url;
  }

  async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
  ): Promise<ApiResponse> {
    const address = `${this.url.origin}${path}`;
    const init: RequestInit = { method, headers, redirect: "manual" };
    if (signal) init.signal = signal;
    if (body !== undefined) init.body = body;
    // workerd closes the connection of a body that it has not read to its end, perhaps while fetch
    // uses it for the next request.
    if (body !== undefined && body.length > MAX_BODY) {
      init.headers = { ...headers, connection: "close" };
    }
    if (this.signal) init.signal = this.signal;
    const response = await fetch(address, init);
    const text = await response.text();
    const isCompared = ([name, value]: [string, string]) =>
      !IGNORED_HEADERS.has(name) && !(name === "referrer-policy" && value === "no-referrer");
    const apiResponse = {
      status: response.status,
      headers: Object.fromEntries([...response.headers].filter(isCompared)),
      etag: response.headers.get("etag") ?? "",
      timing: "",
      allHeaders: response.headers,
      text,
      get json() {
        const json = JSON.parse(text);
        // The request id differs on every request.
        if (isProblem(response)) delete json.requestId;
        return json;
      },
    };
    // Not enumerable, so that deepEqual of two responses ignores it.
    const timing = response.headers.get("server-timing") ?? "";
    return Object.defineProperty(apiResponse, "timing", { value: timing, enumerable: false });
  }

  get(path: string, headers?: Record<string, string>): Promise<ApiResponse> {
    return this.request("GET", path, headers);
  }

  /** Sends a JSON body. */
  send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiResponse> {
    const allHeaders = { "content-type": "application/json", ...headers };
    return this.request(method, path, allHeaders, JSON.stringify(body));
  }

  /** Fetches every page of a list by following the `next` links. */
  async pages(path: string): Promise<ApiResponse[]> {
    const pages = [];
    for (let next: string | undefined = path; next; ) {
      const page: ApiResponse = await this.get(next);
      if (page.status !== 200) throw new Error(`${next}: ${page.status} ${page.text}`);
      pages.push(page);
      next = nextLink(page);
    }
    return pages;
  }

  /** Fetches every record of a list. */
  async records<T>(path: string): Promise<T[]> {
    return (await this.pages(path)).flatMap((page) => page.json);
  }
}

/** A list as the API formats it: a JSON array with one record per line. */
export function jsonArray(records: object[]): string {
  return `[${records.map((record) => JSON.stringify(record)).join(",\n")}]`;
}

/** A list as the API formats it for `application/x-ndjson`. */
export function ndjson(records: object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

// biome-ignore lint/suspicious/noExplicitAny: each test states the shape that it expects
export function parseNdjson(text: string): any[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

/** The address of the next page, from the `Link` header. */
export function nextLink(page: ApiResponse): string | undefined {
  return /^<(\/[^>]*)>; rel="next"$/.exec(page.headers.link ?? "")?.[1];
}
