// Starts a system and collects the log lines that its workers write.
import { setTimeout as sleep } from "node:timers/promises";
import { people, places } from "./fixtures.ts";
import { type Name, type Options, start } from "./harness.ts";

type Line = {
  level: string;
  worker: Name;
  method: string;
  route: string | null;
  status: number;
  ms: number;
  d1: { roundTrips: number; ms: number; rowsRead: number };
  calls: string[];
  requestId: string;
  traceId: string;
  spanId: string;
  message?: string;
};

/** Starts a system and collects the log lines of its workers. */
export async function startObserved(options: Options = {}) {
  const rawLines: string[] = [];
  const system = await start({
    places,
    people,
    ...options,
    log: (line) => void rawLines.push(line),
  });
  /** Waits for this number of log lines of a request. */
  const lines = async (id: string, count: number): Promise<Line[]> => {
    for (let waited = 0; waited < 5000; waited += 20) {
      const found = rawLines.filter((line) => line.includes(`"requestId":"${id}"`));
      if (found.length >= count) return found.map((line) => JSON.parse(line));
      await sleep(20);
    }
    throw new Error(`no ${count} lines of ${id} in ${rawLines.join("\n")}`);
  };
  return { system, raw: rawLines, lines };
}
