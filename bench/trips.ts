// Measures latency as a multiple of one long round trip: `make bench ONLY=trips`. If workers are
// deployed far from their databases or from each other, these round trips take nearly all the time.
import { fire, type Outcome, wire } from "./load.ts";
import { percentile } from "./numbers.ts";
import { LONG, type Profile, profiles } from "./profiles.ts";
import { csvOf } from "./rows.ts";
import { type Running, run } from "./running.ts";
import { sizes } from "./workloads.ts";

/** The contestants: the best of each kind that runs on D1, and the floor. */
export const measuredContestants = ["product", "hono", "monolith", "floors"] as const;

type MeasuredName = (typeof measuredContestants)[number];

export type Latency = { p50: number; p95: number };
export type TripsRow = {
  title: string;
  goals: Row["goals"];
  before?: number | undefined;
  /** Multiples of a long round trip. */
  entries: Partial<Record<Profile, Partial<Record<MeasuredName, Latency>>>>;
};
export type Trips = { at: string; commit: string; samples: number; rows: TripsRow[] };

type Call = { method?: string; path: string; headers?: Record<string, string>; body?: unknown };
type Answer = { json(): unknown };

type Row = {
  title: string;
  /** The goal in each profile for this system's median, and its median before the goal was set. */
  goals: Partial<Record<Profile, number>>;
  before?: number;
  /** Only this system supports it. */
  isOwn?: boolean;
  /** A page that the floor `two` can be compared with: one query of each backend at the same time. */
  isOfBoth?: boolean;
  status: number;
  /** Requests before the measured one, which are not measured. Returns the measured one. */
  call(n: number, send: (call: Call) => Promise<Answer>): Promise<Call> | Call;
};

/** In the profile *placed*, a read or a write of one record takes one long round trip. */
const PLACED = 1.3;
const html = { accept: "text/html" };
const patch = (id: number, body: object): Call => ({
  method: "PATCH",
  path: `/v1/people/${id}`,
  headers: { "content-type": "application/json" },
  body,
});
const add = (name: string, headers: Record<string, string> = {}): Call => ({
  method: "POST",
  path: "/v1/people",
  headers: { "content-type": "application/json", ...headers },
  body: { name, isAlive: true, placeId: 5 },
});
/** A person who is no king. */
const personOf = (n: number) => 900 - (n % 300);
const idOf = (answer: Answer) => (answer.json() as { id: number }).id;

const rows: Row[] = [
  {
    title: "join page, repeated",
    goals: { unplaced: 1.1, placed: PLACED },
    before: 1.24,
    isOfBoth: true,
    status: 200,
    call: () => ({ path: "/v1/people-per-place" }),
  },
  {
    title: "join page, first time",
    goals: { unplaced: 1.1, placed: PLACED },
    before: 1.22,
    isOfBoth: true,
    status: 200,
    call: (n) => ({
      path: `/v1/people-per-place?limit=${100 + (n % 900)}&peopleLimit=${1000 + n}`,
    }),
  },
  {
    title: "join page after a write",
    goals: { unplaced: 1.1, placed: PLACED },
    before: 2.33,
    isOfBoth: true,
    status: 200,
    call: async (n, send) => {
      await send(patch(personOf(n), { name: `Renamed ${n}` }));
      return { path: "/v1/people-per-place" };
    },
  },
  {
    title: "join page after a write of places",
    goals: { unplaced: 1.1, placed: PLACED },
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: async (n, send) => {
      const body = { name: `Lugar ${n}` };
      const headers = { "content-type": "application/json" };
      await send({ method: "PATCH", path: "/v1/places/7", headers, body });
      return { path: "/v1/people-per-place" };
    },
  },
  {
    title: "join page within the allowed staleness",
    goals: { unplaced: 0.05, placed: 0.05 },
    isOwn: true,
    status: 200,
    call: () => ({ path: "/v1/people-per-place", headers: { "cache-control": "max-age=60" } }),
  },
  {
    title: "join page by name, first time",
    goals: { placed: PLACED },
    isOwn: true,
    status: 200,
    call: (n) => ({
      path: `/v1/people-per-place?sort=name&limit=${100 + (n % 900)}&peopleLimit=${1000 + n}`,
    }),
  },
  {
    title: "join page by name after a write of people",
    goals: { placed: PLACED },
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: async (n, send) => {
      await send(patch(personOf(n), { name: `By name ${n}` }));
      return { path: "/v1/people-per-place?sort=name" };
    },
  },
  {
    title: "statistics by the number of the living",
    goals: { placed: PLACED },
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: (n) => ({ path: `/v1/statistics/places?sort=-living&limit=${100 + (n % 900)}` }),
  },
  {
    title: "add a person",
    goals: { unplaced: 3.2, placed: PLACED },
    before: 3.38,
    isOwn: true,
    status: 201,
    call: (n) => add(`New ${n}`),
  },
  {
    title: "add a person with a key",
    goals: { unplaced: 3.2, placed: PLACED },
    before: 3.38,
    isOwn: true,
    status: 201,
    call: (n) => add(`Keyed ${n}`, { "idempotency-key": `trips-${n}` }),
  },
  {
    title: "move a person",
    goals: { unplaced: 3.2, placed: PLACED },
    before: 4.42,
    status: 200,
    call: async (n, send) => {
      await send(patch(personOf(n), { isAlive: true, placeId: 3 }));
      return patch(personOf(n), { placeId: 4 });
    },
  },
  {
    title: "record a death",
    goals: { unplaced: 2.2, placed: PLACED },
    before: 2.2,
    status: 200,
    call: async (n, send) => {
      await send(patch(personOf(n), { isAlive: true, placeId: 3 }));
      return patch(personOf(n), { isAlive: false });
    },
  },
  {
    title: "delete a person",
    goals: { unplaced: 1.2, placed: PLACED },
    before: 2.2,
    isOwn: true,
    status: 204,
    call: async (n, send) => {
      const id = idOf(await send(add(`Short-lived ${n}`)));
      return { method: "DELETE", path: `/v1/people/${id}` };
    },
  },
  {
    title: "delete a place and reassign its people",
    goals: { unplaced: 5 },
    before: 7.5,
    isOwn: true,
    status: 204,
    call: async (n, send) => {
      const headers = { "content-type": "application/json" };
      const body = { name: `Temporal ${n}` };
      const id = idOf(await send({ method: "POST", path: "/v1/places", headers, body }));
      await send({
        ...add(`Nomad ${n}`),
        body: { name: `Nomad ${n}`, isAlive: true, placeId: id },
      });
      return { method: "DELETE", path: `/v1/places/${id}?reassignTo=1` };
    },
  },
  {
    title: "overview page",
    goals: { unplaced: 1.3, placed: PLACED },
    before: 4.4,
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: () => ({ path: "/", headers: html }),
  },
  {
    title: "people page",
    goals: { placed: PLACED },
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: () => ({ path: "/ui/people", headers: html }),
  },
  {
    title: "place page",
    goals: { unplaced: 1.3, placed: PLACED },
    before: 2.22,
    isOwn: true,
    isOfBoth: true,
    status: 200,
    call: () => ({ path: "/ui/places/5", headers: html }),
  },
  {
    title: "import 1,000 people",
    goals: { unplaced: 3.2 },
    before: 4.6,
    status: 200,
    call: (n) => ({
      method: "POST",
      path: "/v1/people/import",
      headers: { "content-type": "text/csv", "idempotency-key": `trips-import-${n}` },
      // A different name each time, because this system does not import the same file twice.
      body: `${csvOf(sizes.town, 999)}Imported ${n},true,1,false\n`,
    }),
  },
];

function shotOf({ method = "GET", path, headers = {}, body }: Call) {
  if (body === undefined) return { method, path, headers };
  return { method, path, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
}

let calls = 0;

/** Measures a row. Undefined if the contestant does not support it. */
async function measure(running: Running, row: Row, samples: number): Promise<Latency | undefined> {
  const url = running.urls.join;
  const send = async (call: Call): Promise<Answer> => {
    const { path, ...init } = shotOf(call);
    const response = await fetch(new URL(path, url), init);
    const received = await response.text();
    return { json: () => JSON.parse(received) };
  };
  // Through a plain socket: `fetch` itself takes about 2 ms, a tenth of a long round trip.
  const timed = (call: Call): Promise<Outcome> => {
    const limits = { connections: 1, requests: 1, seconds: 1, timeout: 30 };
    return fire({ url, shots: [wire(url, shotOf(call))], status: row.status, ...limits });
  };
  const isFloor = running.name === "floors";
  const latencies: number[] = [];
  const warm = 3;
  for (let sample = 0; sample < samples + warm; sample += 1) {
    calls += 1;
    // No response has this key, so the floor makes the calls and sends nothing.
    const call = isFloor ? { path: "/two/none" } : await row.call(calls, send);
    const { latencies: found, failure } = await timed(call);
    if (failure) return undefined;
    if (sample >= warm) latencies.push(...found.map((latency) => latency / LONG));
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) };
}

/** Measures all rows in both profiles, one contestant after the other. */
export async function measureTrips(
  names: readonly MeasuredName[],
  samples: number,
): Promise<TripsRow[]> {
  const results: TripsRow[] = rows.map(({ title, goals, before }) => ({
    title,
    goals,
    before,
    entries: {},
  }));
  for (const profile of Object.keys(profiles) as Profile[]) {
    for (const name of names) {
      const running = await run(name, sizes.town, { profile });
      for (const [index, row] of rows.entries()) {
        const isMeasured = name === "floors" ? row.isOfBoth : name === "product" || !row.isOwn;
        if (!isMeasured) continue;
        const latency = await measure(running, row, samples);
        const entries = results[index]?.entries;
        if (!latency || !entries) continue;
        entries[profile] = { ...entries[profile], [name]: latency };
        console.log(`  ${profile}, ${name}, ${row.title}: ${latency.p50.toFixed(2)}`);
      }
      await running.stop();
    }
  }
  return results;
}

/** The tables of both profiles. */
export function tripsSection(
  { at, commit, samples, rows }: Trips,
  titleOf: (name: Exclude<MeasuredName, "floors"> | "two") => string,
): string {
  const tables = (Object.keys(profiles) as Profile[]).map((profile) => {
    const names = measuredContestants.filter((name) =>
      rows.some(({ entries }) => entries[profile]?.[name]),
    );
    const cell = (latency: Latency | undefined) =>
      latency ? `${latency.p50.toFixed(2)} / ${latency.p95.toFixed(2)}` : "–";
    const isUnplaced = profile === "unplaced";
    const lines = rows.map(({ title, goals, before, entries }) => {
      const found = names.map((name) => cell(entries[profile]?.[name]));
      const wanted = [...(isUnplaced ? [before] : []), goals[profile]];
      return `| ${[title, ...wanted.map((goal) => goal ?? "–"), ...found].join(" | ")} |`;
    });
    const titles = names.map((name) => (name === "floors" ? `*${titleOf("two")}*` : titleOf(name)));
    const heads = [...(isUnplaced ? ["before"] : []), "goal", ...titles];
    return `**${profile}**: ${profiles[profile]}.

| p50 / p95 | ${heads.join(" | ")} |
|---|${heads.map(() => "---|").join("")}
${lines.join("\n")}
`;
  });
  return `## Round trips

Latency through the gateway as a multiple of one long round trip of ${LONG} ms, with one connection, 26
places and 1,000 people. \`make bench ONLY=trips\` measured it on ${at.slice(0, 10)}, at commit ${commit},
with ${samples} requests each. A dash means that a system does not have this request. The goals are for
the median of this system; *before* is its median when they were set. The last column, in italics,
is a floor: workers that only make one query of each backend at the same time, and send an empty response.

${tables.join("\n")}`;
}
