// What is asked of everyone.

import type { Name } from "../tests/harness.ts";
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
  /** Each of several requests, where they differ. `n` is never the same. */
  shots?: (n: number) => Shot;
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

/** How the cost of one page, and of one place, grows with the register. */
const growing: [SizeName, string][] = [
  ["1e3", "1,000"],
  ["1e4", "10,000"],
  ["region", "100,000"],
  ["nation", "1,000,000"],
];

const growth = growing.flatMap(([size, count]): Workload[] => [
  {
    ...reading(
      `page-of-${size}`,
      `10 places of ${count} people`,
      size,
      "join",
      `${perPlace}?limit=10`,
    ),
    connections: [1],
    floors: [],
  },
  {
    ...reading(`place-of-${size}`, `one place of ${count} people`, size, "join", `${perPlace}/5`),
    connections: [1],
    floors: [],
  },
]);

export const workloads: Workload[] = [
  {
    ...reading("join-60", "26 places with 60 people", "village", "join", perPlace),
    floors: two,
    parts: page,
  },
  join1000,
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
  {
    ...reading("place", "one place with its people", "town", "join", `${perPlace}/5`),
    floors: two,
    parts: place,
  },
  reading("person", "one person, of its owner", "town", "people", "/v1/people/501"),
  {
    ...reading("person-entry", "one person, through the entry", "town", "join", "/v1/people/501"),
    floors: ["one", "behind"],
  },
  reading("people", "a list of 100 people", "town", "people", "/v1/people?limit=100"),
  {
    ...reading(
      "statistics",
      "statistics over 1,000,000 people",
      "nation",
      "join",
      "/v1/statistics/places?limit=100",
    ),
    floors: ["one"],
    patience: 20,
  },
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
