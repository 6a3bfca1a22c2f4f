// What is asked of everyone.

import type { Name } from "../tests/support/harness.ts";
import type { ContestantName } from "./contestants.ts";
import type { Shot } from "./load.ts";
import { csvOf, type Size } from "./rows.ts";

export const sizes = {
  village: { places: 26, people: 60 },
  town: { places: 26, people: 1000 },
  "1e3": { places: 10, people: 1000 },
  "1e4": { places: 100, people: 10_000 },
  region: { places: 1000, people: 100_000 },
  nation: { places: 10_000, people: 1_000_000 },
} satisfies Record<string, Size>;
export type SizeName = keyof typeof sizes;

/** What a worker that does no work would take for the same answer; see `peers/floors`. */
export const floors = {
  constant: "a constant",
  one: "one D1 query",
  behind: "one query behind a binding",
  two: "two queries in parallel",
  stream: "a query a part, streamed",
  unchanged: "two one-row queries in parallel",
};
export type Floor = keyof typeof floors;

export type Workload = {
  name: string;
  title: string;
  size: SizeName;
  /** Whose socket is asked. */
  service: Name;
  shot: Shot;
  /** Each of several requests, where they differ. `n` is never the same, so that nobody can
   * answer from what it holds already. */
  shots?: (n: number, contestant: ContestantName) => Shot;
  status: number;
  /** The request has the tag of the answer. */
  conditional?: boolean;
  connections: number[];
  floors: Floor[];
  /** What the product's own services give for it: the bytes of the floor `two`. */
  parts?: { places: string; people: string };
  /** Measured as so many requests a round, rather than for a time. */
  requests?: number;
  /** Whether the answer to one of `shots` says that all was done. */
  verified?: (text: string) => boolean;
  /** What of the answer must be the same for all. */
  compared: (text: string) => unknown;
  /** For how many seconds one request is waited for. */
  patience: number;
};

const json = (text: string): unknown => JSON.parse(text);
const every = [1, 8, 64];

const reading = (name: string, title: string, size: SizeName, service: Name, path: string) => ({
  name,
  title,
  size,
  service,
  shot: { method: "GET", path },
  status: 200,
  connections: every,
  floors: ["constant", "one"] as Floor[],
  compared: json,
  patience: 10,
});

const two: Floor[] = ["constant", "one", "two"];
const page = { places: "/v1/places?limit=100", people: "/v1/people/by-place?limit=100" };
const longPage = { places: "/v1/places?limit=1000", people: "/v1/people/by-place?limit=1000" };
const place = {
  places: "/v1/places/5",
  people: "/v1/people/by-place?placeId=5&peopleLimit=1000",
};
const perPlace = "/v1/people-per-place";

const join1000: Workload = {
  ...reading("join-1000", "26 places with 1,000 people", "town", "join", perPlace),
  floors: two,
  parts: page,
};

const patched = (n: number): Shot => ({
  method: "PATCH",
  path: `/v1/people/${1 + (n % 1000)}`,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ name: `Renamed ${n}` }),
});

const imported = (n: number, count: number): Shot => ({
  method: "POST",
  path: "/v1/people/import",
  // The product knows a file again that it has had already.
  headers: { "content-type": "text/csv", "idempotency-key": `import-${n}` },
  body: csvOf(sizes.town, count),
});

/** The same, as if for the first time: limits that no place comes up to make another request of
 * the same answer. The peers know no such limits, and hold nothing. */
const anew = (workload: Workload, path: (n: number, contestant: ContestantName) => string) => ({
  ...workload,
  name: `${workload.name}-new`,
  title: `${workload.title}, first touch`,
  floors: workload.floors.filter((floor) => floor !== "constant"),
  shots: (n: number, contestant: ContestantName): Shot => ({
    method: "GET",
    path: path(n, contestant),
  }),
});
const loose = (n: number) => `peopleLimit=${1000 + (n % 9000)}`;
const longer = (n: number) => `limit=${100 + (Math.floor(n / 9000) % 900)}`;
const anyPage = (n: number) => `${perPlace}?${longer(n)}&${loose(n)}`;

/** How the cost of one page, and of one place, grows with the register. */
const growing: [SizeName, string][] = [
  ["1e3", "1,000"],
  ["1e4", "10,000"],
  ["region", "100,000"],
  ["nation", "1,000,000"],
];

const growth = growing.flatMap(([size, count]): Workload[] => {
  const title = `10 places of ${count} people`;
  const page = reading(`page-of-${size}`, title, size, "join", `${perPlace}?limit=10`);
  const one = reading(
    `place-of-${size}`,
    `one place of ${count} people`,
    size,
    "join",
    `${perPlace}/5`,
  );
  const alone = { connections: [1], floors: [] };
  return [
    { ...anew(page, (n) => `${perPlace}?limit=10&${loose(n)}`), ...alone, name: page.name },
    { ...anew(one, (n) => `${perPlace}/5?${loose(n)}`), ...alone, name: one.name },
  ];
});

const join60: Workload = {
  ...reading("join-60", "26 places with 60 people", "village", "join", perPlace),
  floors: two,
  parts: page,
};

const onePlace: Workload = {
  ...reading("place", "one place with its people", "town", "join", `${perPlace}/5`),
  floors: two,
  parts: place,
};

const statistics: Workload = {
  ...reading(
    "statistics",
    "statistics over 1,000,000 people",
    "nation",
    "join",
    "/v1/statistics/places?limit=100",
  ),
  floors: ["one"],
  patience: 20,
};

/** A cursor as the product writes it; the peers take the id. */
const after = (id: number, contestant: ContestantName) =>
  contestant === "product" ? Buffer.from(`i${id}`).toString("hex") : String(id);

export const workloads: Workload[] = [
  join60,
  anew(join60, anyPage),
  join1000,
  anew(join1000, anyPage),
  {
    ...reading(
      "join-100000",
      "1,000 places with 100,000 people",
      "region",
      "join",
      `${perPlace}?limit=1000`,
    ),
    floors: two,
    parts: longPage,
    patience: 20,
  },
  onePlace,
  anew(onePlace, (n) => `${perPlace}/${1 + (n % 26)}?${loose(n)}`),
  reading("person", "one person, of its owner", "town", "people", "/v1/people/501"),
  anew(
    reading(
      "person",
      "one of 1,000,000 people, of its owner",
      "nation",
      "people",
      "/v1/people/501",
    ),
    (n) => `/v1/people/${1 + ((n * 7919) % 1_000_000)}`,
  ),
  {
    ...reading("person-entry", "one person, through the entry", "town", "join", "/v1/people/501"),
    floors: ["one", "behind"],
  },
  reading("people", "a list of 100 people", "town", "people", "/v1/people?limit=100"),
  statistics,
  anew(
    statistics,
    (n, contestant) =>
      `/v1/statistics/places?limit=100&after=${after((n * 97) % 9900, contestant)}`,
  ),
  {
    ...join1000,
    name: "unchanged",
    title: "26 places with 1,000 people, known already (304)",
    status: 304,
    conditional: true,
    floors: ["unchanged"],
  },
  {
    ...reading("write", "a person's name is changed", "town", "people", ""),
    shot: patched(0),
    shots: patched,
    floors: [],
  },
  {
    ...reading("import", "import of 100,000 people", "town", "join", ""),
    shot: imported(0, 1000),
    shots: (n) => imported(n, 100_000),
    verified: (text) => JSON.parse(text).created === 100_000,
    connections: [1],
    floors: [],
    requests: 1,
    patience: 60,
    compared: (text) => JSON.parse(text).created,
  },
  {
    ...reading("export", "export of 1,000,000 people", "nation", "join", "/v1/people/export"),
    connections: [1],
    floors: ["stream"],
    requests: 1,
    patience: 60,
    // The product quotes every name, and ends lines as RFC 4180 has it.
    compared: (text) => text.replaceAll(/["\r]/g, ""),
  },
  ...growth,
];
