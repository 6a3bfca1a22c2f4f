// Compares the responses of each contestant with those of the product before the measurement. So no
// contestant is fast because it is wrong.
import { isDeepStrictEqual } from "node:util";
import type { Running } from "./running.ts";
import type { Workload } from "./workloads.ts";

export type Asked = {
  /** The failure, if there is one. */
  failure?: string;
  /** Whether the request timed out. The server may still be working on it. */
  late?: boolean;
  seconds: number;
  text: string;
  etag: string;
};

/** Sends the request of a workload once. */
export async function ask({ urls }: Running, workload: Workload): Promise<Asked> {
  const { service, shot, timeout, status, conditional } = workload;
  const begin = performance.now();
  try {
    const { method, path, headers, body } = shot;
    const request = {
      method,
      headers: { ...headers, ...(conditional && { "if-none-match": '"x"' }) },
    };
    const response = await fetch(new URL(path, urls[service]), {
      ...request,
      ...(body !== undefined && { body: String(body) }),
      signal: AbortSignal.timeout(timeout * 1000),
    });
    const text = await response.text();
    const seconds = (performance.now() - begin) / 1000;
    const etag = response.headers.get("etag") ?? "";
    const good = conditional ? 200 : status;
    const failure =
      response.status === good ? {} : { failure: `it responded with ${response.status}` };
    return { ...failure, seconds, text, etag };
  } catch (error) {
    const seconds = (performance.now() - begin) / 1000;
    const late = error instanceof Error && error.name === "TimeoutError";
    const failure = late ? `no response within ${timeout} s` : `it failed (${error})`;
    return { failure, late, seconds, text: "", etag: "" };
  }
}

/** The difference between a response and the product's, if there is one. */
export function difference(workload: Workload, expected: string, text: string): string | undefined {
  try {
    const [right, left] = [workload.compared(expected), workload.compared(text)];
    if (isDeepStrictEqual(left, right)) return undefined;
    const [shownLeft, shownRight] = [left, right].map((value) => JSON.stringify(value) ?? "");
    let at = 0;
    while (at < (shownLeft?.length ?? 0) && shownLeft?.[at] === shownRight?.[at]) at += 1;
    const around = (shown = "") => shown.slice(Math.max(0, at - 30), at + 50);
    return `its response differs: ${around(shownLeft)} for ${around(shownRight)}`;
  } catch (error) {
    return `its response is not readable (${error})`;
  }
}
