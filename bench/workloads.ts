// The requests that every contestant gets.

import type { Name } from "../tests/support/harness.ts";
import type { ContestantName } from "./contestants.ts";
import type { Shot } from "./load.ts";
import { MIXED, mixedAddresses, mixedShots } from "./mixed.ts";
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

/** Workers that do no work of their own and return the same response (`peers/floors`). */
export const floors = {
  constant: "a constant",
  one: "one D1 query",
  behind: "one query through a binding",
  two: "two queries in parallel",
  stream: "one query per part, streamed",
  unchanged: "two one-row queries in parallel",
};
export type Floor = keyof typeof floors;

/** This system for clients with other wishes, measured beside it. */
export const variants = {
  bounded: { title: "this one, up to 1 s old", headers: { "cache-control": "max-age=1" } },
};
export type Variant = keyof typeof variants;

export type Workload = {
  name: string;
  title: string;
  size: SizeName;
  /** The service that gets the request. */
  service: Name;
  shot: Shot;
  /** Makes different requests. `n` is never the same for a contestant. */
  shots?: (n: number, contestant: ContestantName) => Shot;
  status: number;
  /** Whether the request has the ETag of the response. */
  conditional?: boolean;
  connections: number[];
  floors: Floor[];
  variants?: Variant[];
  /** More addresses whose responses are compared before the measurement. */
  addresses?: string[];
  /** Different requests whose mean costs are counted. The default is one request. */
  counted?: number;
  /** The requests to the backends whose responses the floor `two` returns. */
  parts?: { places: string; people: string };
  /** The requests per round. Otherwise a round has a fixed duration. */
  requests?: number;
  /** Whether a response to one of `shots` reports complete success. */
  verified?: (text: string) => boolean;
  /** The part of a response that must be equal for all contestants. */
  compared: (text: string) => unknown;
  /** The timeout of one request in seconds. */
  timeout: number;
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
  timeout: 10,
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
  variants: ["bounded"],
  parts: page,
};

const patched = (n: number, id = 1 + (n % 1000)): Shot => ({
  method: "PATCH",
  path: `/v1/people/${id}`,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ name: `Renamed ${n}` }),
});

const imported = (n: number, count: number): Shot => ({
  method: "POST",
  path: "/v1/people/import",
  // A new key each time, because the product does not import a file twice.
  headers: { "content-type": "text/csv", "idempotency-key": `import-${n}` },
  body: csvOf(sizes.town, count),
});

/** The same workload without cached responses. Limits that no place reaches make each request
 * different, but not its response. The peers ignore these limits and cache nothing. */
const firstTouch = (
  workload: Workload,
  path: (n: number, contestant: ContestantName) => string,
) => ({
  ...workload,
  name: `${workload.name}-new`,
  title: `${workload.title}, first touch`,
  floors: workload.floors.filter((floor) => floor !== "constant"),
  variants: [],
  shots: (n: number, contestant: ContestantName): Shot => ({
    method: "GET",
    path: path(n, contestant),
  }),
});
const loose = (n: number) => `peopleLimit=${1000 + (n % 9000)}`;
const longer = (n: number) => `limit=${100 + (Math.floor(n / 9000) % 900)}`;
const anyPage = (n: number) => `${perPlace}?${longer(n)}&${loose(n)}`;

/** How the costs of one page and of one place grow with the registry. */
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
    { ...firstTouch(page, (n) => `${perPlace}?limit=10&${loose(n)}`), ...alone, name: page.name },
    { ...firstTouch(one, (n) => `${perPlace}/5?${loose(n)}`), ...alone, name: one.name },
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
  timeout: 20,
};

/** A cursor: the product's is encoded, the peers use the id. */
const after = (id: number, contestant: ContestantName) =>
  contestant === "product" ? Buffer.from(`i${id}`).toString("hex") : String(id);

export const workloads: Workload[] = [
  join60,
  firstTouch(join60, anyPage),
  join1000,
  firstTouch(join1000, anyPage),
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
    timeout: 20,
  },
  onePlace,
  firstTouch(onePlace, (n) => `${perPlace}/${1 + (n % 26)}?${loose(n)}`),
  reading("person", "one person from its backend", "town", "people", "/v1/people/501"),
  firstTouch(
    reading(
      "person",
      "one of 1,000,000 people from its backend",
      "nation",
      "people",
      "/v1/people/501",
    ),
    (n) => `/v1/people/${1 + ((n * 7919) % 1_000_000)}`,
  ),
  {
    ...reading("person-entry", "one person through the gateway", "town", "join", "/v1/people/501"),
    floors: ["one", "behind"],
  },
  reading("people", "a list of 100 people", "town", "people", "/v1/people?limit=100"),
  statistics,
  firstTouch(
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
    variants: [],
  },
  {
    ...reading(MIXED, "95 % reads of 200 addresses, 5 % writes", "town", "join", perPlace),
    shots: mixedShots(sizes.town, patched),
    addresses: mixedAddresses(sizes.town),
    variants: ["bounded"],
    counted: 400,
    floors: [],
  },
  {
    ...reading("write", "a person's name is changed", "town", "people", ""),
    shot: patched(0),
    shots: (n) => patched(n),
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
    timeout: 60,
    compared: (text) => JSON.parse(text).created,
  },
  {
    ...reading("export", "export of 1,000,000 people", "nation", "join", "/v1/people/export"),
    connections: [1],
    floors: ["stream"],
    requests: 1,
    timeout: 60,
    // The product quotes names and ends lines with CR LF.
    compared: (text) => text.replaceAll(/["\r]/g, ""),
  },
  ...growth,
];
