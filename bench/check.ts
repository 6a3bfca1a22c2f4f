// Nobody is fast by being wrong: before it is timed, each answer is held against the product's.
import { isDeepStrictEqual } from "node:util";
import type { Running } from "./running.ts";
import type { Workload } from "./workloads.ts";

export type Asked = {
  /** What went wrong, if anything did. */
  failure?: string;
  /** Whether it gave up on the answer, and may still be at it. */
  late?: boolean;
  seconds: number;
  text: string;
  etag: string;
};

/** Asks once. */
export async function ask({ urls }: Running, workload: Workload): Promise<Asked> {
  const { service, shot, patience, status, conditional } = workload;
  const begin = performance.now();
  try {
    const { method, path, headers, body } = shot;
    const request = {
      method,
      headers: { ...headers, ...(conditional && { "if-none-match": '"x"' }) },
    };
    const answer = await fetch(new URL(path, urls[service]), {
      ...request,
      ...(body !== undefined && { body: String(body) }),
      signal: AbortSignal.timeout(patience * 1000),
    });
    const text = await answer.text();
    const seconds = (performance.now() - begin) / 1000;
    const etag = answer.headers.get("etag") ?? "";
    const good = conditional ? 200 : status;
    const failure = answer.status === good ? {} : { failure: `it answered ${answer.status}` };
    return { ...failure, seconds, text, etag };
  } catch (error) {
    const seconds = (performance.now() - begin) / 1000;
    const late = error instanceof Error && error.name === "TimeoutError";
    const failure = late ? `no answer within ${patience} s` : `it broke off (${error})`;
    return { failure, late, seconds, text: "", etag: "" };
  }
}

/** How an answer differs from the product's, if it does. */
export function difference(workload: Workload, expected: string, text: string): string | undefined {
  try {
    const [right, left] = [workload.compared(expected), workload.compared(text)];
    if (isDeepStrictEqual(left, right)) return undefined;
    const [shownLeft, shownRight] = [left, right].map((value) => JSON.stringify(value) ?? "");
    let at = 0;
    while (at < (shownLeft?.length ?? 0) && shownLeft?.[at] === shownRight?.[at]) at += 1;
    const around = (shown = "") => shown.slice(Math.max(0, at - 30), at + 50);
    return `its answer differs: ${around(shownLeft)} for ${around(shownRight)}`;
  } catch (error) {
    return `its answer cannot be read (${error})`;
  }
}
