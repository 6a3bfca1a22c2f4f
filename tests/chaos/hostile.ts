// Scenarios with hostile clients. Each scenario puts a load on the gateway that costs the client
// little. Meanwhile another client reads, and the scenario measures the memory of the three
// isolates. It fails if a read fails or is slow, or if the memory exceeds a limit.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Inspector } from "../../bench/memory.ts";
import { makePeople, makePlaces } from "../support/fixtures.ts";
import { type System, start } from "../support/harness.ts";
import { sendRaw } from "../support/raw_request.ts";
import { bearer, readToken, TOKENS, tokenHash, writeToken } from "../support/tokens.ts";

/** The longest time of a read by another client. */
export const MAX_READ_MS = 5_000;

export type HostileResult = {
  /** The requests of the hostile clients. */
  load: string;
  /** The responses that they got, by status. */
  responses: Record<string, number>;
  /** The number of reads by the other client, and the longest one in milliseconds. */
  reads: number;
  slowest: number;
  /** The memory of the three isolates in MB: before, and the most during the load. */
  before: number;
  most: number;
};

type Scenario = {
  /** The limit of the memory that the load adds, in MB. */
  maxMegabytes: number;
  /** Runs the load. The scale is 1 in a full run, and smaller in a short one. */
  run: (target: Target, scale: number) => Promise<string>;
};

/** The system under attack. */
class Target {
  readonly system: System;
  readonly sockets: Socket[] = [];
  readonly responses: Record<string, number> = {};

  constructor(system: System) {
    this.system = system;
  }

  /** Opens connections. The first line of each response is counted. */
  async open(count: number): Promise<Socket[]> {
    const { hostname, port } = this.system.join.url;
    const opened = Array.from({ length: count }, () => {
      const socket = connect(Number(port), hostname);
      let isCounted = false;
      socket.on("error", () => this.count("connection error"));
      socket.on("data", (data: Buffer) => {
        const [, status] = /^HTTP\/1\.1 (\d+)/.exec(data.toString("latin1")) ?? [];
        if (status && !isCounted) this.count(status);
        isCounted = true;
      });
      return socket;
    });
    this.sockets.push(...opened);
    await Promise.all(opened.map((socket) => socket.connecting && once(socket, "connect")));
    return opened;
  }

  /** Sends a request over a new connection. */
  send(method: string, path: string, headers: Record<string, string>) {
    return sendRaw(this.system.join.url, method, path, headers);
  }

  count(response: string): void {
    this.responses[response] = (this.responses[response] ?? 0) + 1;
  }

  head(requestLine: string, headers: Record<string, string> = {}): string {
    const fields = { host: this.system.join.url.host, ...bearer(writeToken), ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
    return [requestLine, ...lines, "", ""].join("\r\n");
  }

  get total(): number {
    return Object.values(this.responses).reduce((sum, count) => sum + count, 0);
  }
}

/** Writes one byte per second to each socket. */
async function trickle(sockets: Socket[], seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    for (const socket of sockets) if (socket.writable) socket.write("x");
    await sleep(1_000);
  }
}

/** A page of 7 MB. */
const PAGE = "/v1/people-per-place?limit=100";

export const scenarios = {
  "slow senders": {
    maxMegabytes: 48,
    run: async (target, scale) => {
      const [count, seconds] = [200, Math.max(6, Math.round(36 * scale))];
      const sockets = await target.open(count);
      const headers = { "content-type": "application/json", "content-length": "60000" };
      for (const socket of sockets) {
        socket.write(target.head("POST /v1/people HTTP/1.1", headers));
      }
      await trickle(sockets, seconds);
      return `${count} bodies of one byte per second, ${seconds} s`;
    },
  },
  "slow headers": {
    maxMegabytes: 16,
    run: async (target, scale) => {
      const [count, seconds] = [200, Math.max(6, Math.round(20 * scale))];
      const sockets = await target.open(count);
      for (const socket of sockets) socket.write("GET /v1/places HTTP/1.1\r\nx: ");
      await trickle(sockets, seconds);
      return `${count} headers of one byte per second, ${seconds} s`;
    },
  },
  "slow readers": {
    maxMegabytes: 64,
    run: async (target, scale) => {
      const [count, seconds] = [20, Math.max(6, Math.round(20 * scale))];
      const sockets = await target.open(count);
      for (const socket of sockets) {
        socket.write(target.head(`GET ${PAGE} HTTP/1.1`));
        socket.once("data", () => socket.pause());
        // One after the other: making a page of 7 MB takes much longer than starting to read it.
        await sleep(1_000);
      }
      await sleep(seconds * 1_000);
      return `${count} readers of 7 MB that stop after the first bytes, ${seconds} s`;
    },
  },
  "many connections": {
    maxMegabytes: 24,
    run: async (target, scale) => {
      const [count, seconds] = [1_000, Math.max(3, Math.round(10 * scale))];
      const sockets = await target.open(count);
      for (const socket of sockets) socket.write(target.head("GET /v1/people/1 HTTP/1.1"));
      for (let waited = 0; target.total < count && waited < 20; waited += 1) await sleep(500);
      await sleep(seconds * 1_000);
      return `${count} open connections, each with one request`;
    },
  },
  "large headers": {
    maxMegabytes: 24,
    run: async (target, scale) => {
      const count = Math.round(2_000 * scale);
      const headers = Object.fromEntries(
        Array.from({ length: 4 }, (_, n) => [`x-padding-${n}`, "x".repeat(4_000)]),
      );
      for (let sent = 0; sent < count; sent += 20) {
        const statuses = Array.from({ length: 20 }, async () => {
          const { status } = await target.send("GET", "/v1/people/1", {
            ...bearer(writeToken),
            ...headers,
          });
          target.count(String(status));
        });
        await Promise.all(statuses);
      }
      return `${count} requests with 16 KB of headers`;
    },
  },
  "guessed tokens": {
    maxMegabytes: 24,
    run: async (target, scale) => {
      const count = Math.round(6_000 * scale);
      for (let sent = 0; sent < count; sent += 20) {
        const guesses = Array.from({ length: 20 }, async (_, n) => {
          const guess = bearer(tokenHash(`guess ${sent + n}`));
          const { status } = await target.send("POST", "/v1/places", guess);
          target.count(String(status));
        });
        await Promise.all(guesses);
      }
      return `${count} writes with guessed tokens`;
    },
  },
  "idempotency keys": {
    maxMegabytes: 24,
    run: async (target, scale) => {
      const count = Math.round(1_000_000 * scale);
      const { people } = target.system.db;
      for (let added = 0; added < count; added += 50_000) {
        await people.exec(`INSERT INTO idempotency (key, fingerprint, at, record_id, version)
          WITH RECURSIVE n (n) AS (
            SELECT ${added} UNION ALL SELECT n + 1 FROM n WHERE n < ${added} + 49999
          )
          SELECT 'request:' || hex(randomblob(16)), hex(randomblob(16)), n, 1, 1 FROM n;`);
      }
      const before = await target.system.db.people.rows("SELECT count(*) AS n FROM idempotency");
      let runs = 0;
      const expired = async () => {
        const [row] = await people.rows("SELECT count(*) AS n FROM idempotency");
        return row?.n === 0;
      };
      for (; runs < 1_000 && !(await expired()); runs += 1) {
        await target.system.runSchedule("people");
      }
      if (!(await expired())) throw new Error(`keys are left after ${runs} scheduled runs`);
      return `${before[0]?.n} expired idempotency keys, deleted in ${runs} scheduled runs`;
    },
  },
} satisfies Record<string, Scenario>;

/** The reads of another client, one after the other, until it is stopped. */
class OtherClient {
  reads = 0;
  slowest = 0;
  #isStopped = false;
  readonly #loop: Promise<void>;

  constructor(system: System) {
    this.#loop = this.#read(system);
  }

  async #read({ join }: System): Promise<void> {
    const paths = ["/v1/people-per-place?limit=3&peopleLimit=5", "/v1/people/1", "/v1/places/1"];
    while (!this.#isStopped) {
      const path = paths[this.reads % paths.length] ?? "";
      const began = performance.now();
      // A new connection each time: workerd closes idle ones while it is busy.
      const { status, body } = await sendRaw(join.url, "GET", path, bearer(readToken));
      const took = performance.now() - began;
      if (status !== 200) throw new Error(`${path} of another client: ${status} ${body}`);
      this.slowest = Math.max(this.slowest, took);
      this.reads += 1;
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
  }
}

/** Runs the scenarios, each against a new system. */
export async function runHostile(
  plan: { scale: number; names?: string[] },
  log = (_: string) => {},
): Promise<Record<string, HostileResult>> {
  const results: Record<string, HostileResult> = {};
  for (const [name, scenario] of Object.entries<Scenario>(scenarios)) {
    if (plan.names && !plan.names.includes(name)) continue;
    const result = await runScenario(scenario, plan.scale);
    results[name] = result;
    log(`${name}: ${JSON.stringify(result)}`);
    assertWithin(name, scenario, result);
  }
  return results;
}

function assertWithin(name: string, { maxMegabytes }: Scenario, result: HostileResult): void {
  const { before, most, slowest, reads } = result;
  if (reads < 5) throw new Error(`${name}: another client made only ${reads} reads`);
  if (slowest > MAX_READ_MS) throw new Error(`${name}: another client waited ${slowest} ms`);
  if (most - before > maxMegabytes) {
    throw new Error(`${name}: the memory grew from ${before} to ${most} MB`);
  }
}

async function runScenario(scenario: Scenario, scale: number): Promise<HostileResult> {
  await using system = await start({
    places: makePlaces(100),
    people: makePeople(100_000, 100),
    gatewaySettings: { TOKENS, RATE_LIMIT: "1200/60" },
    rateLimit: { limit: 1_200, period: 60 },
    inspector: true,
  });
  const address = await system.inspector();
  const workers = ["places", "people", "join"];
  const isolates = await Promise.all(workers.map((name) => Inspector.open(address, name)));
  const megabytes = async () => {
    let sum = 0;
    for (const isolate of isolates) {
      await isolate.collect();
      sum += ((await isolate.heap()) + (await isolate.wasm())) / 2 ** 20;
    }
    return sum;
  };
  const target = new Target(system);
  const other = new OtherClient(system);
  await sleep(1_000);
  const before = await megabytes();
  let [most, isOver] = [before, false];
  const sampling = (async () => {
    while (!isOver) {
      await sleep(1_000);
      most = Math.max(most, await megabytes());
    }
  })();
  try {
    const load = await scenario.run(target, scale);
    isOver = true;
    await sampling;
    await other.stop();
    const { responses } = target;
    const round = (value: number) => Math.round(value * 10) / 10;
    return {
      load,
      responses,
      reads: other.reads,
      slowest: Math.round(other.slowest),
      before: round(before),
      most: round(most),
    };
  } finally {
    isOver = true;
    for (const socket of target.sockets) socket.destroy();
    for (const isolate of isolates) isolate.close();
  }
}
