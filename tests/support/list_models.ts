// Models of the API's lists as plain functions: all records, a condition for each filter, and a key
// for each order. `tests/api/list_routes.test.ts` compares the responses with them.
import { residentOf } from "./declared_fields.ts";
import type { Person, Place } from "./fixtures.ts";
import {
  fold,
  matchesSearch,
  randomPrefix,
  randomSearch,
  type State,
  type World,
} from "./list_world.ts";
import type { Random } from "./random.ts";
import { seriesTimes } from "./series_times.ts";

/** The values of the parameters of a request, without those of its page. */
export type Values = Record<string, string>;

// biome-ignore lint/suspicious/noExplicitAny: the records of all lists
export type ListRecord = Record<string, any>;

export type ListModel = {
  /** The records without a filter, in order of id. The filters in `handles` are applied already. */
  records: (world: World, values: Values) => ListRecord[];
  /** The parameters that `records` reads. */
  handles?: string[];
  /** Whether a record matches the value of a filter. */
  filters: Record<string, (record: ListRecord, value: string) => boolean>;
  /** The sort keys of a record. */
  orders?: Record<string, (record: ListRecord) => (string | number)[]>;
  /** The parameters beside which the route takes no order. */
  unsortedWith?: string[];
  /** Records after the last one that no filter and no order applies to. */
  lastRecords?: (world: World, values: Values) => ListRecord[];
  /** The rows of a record in CSV. By default the record itself. */
  rows?: (record: ListRecord) => ListRecord[];
  /** The members of a record that are compared. By default all. */
  shown?: (record: ListRecord) => ListRecord;
  /** The parameter with the start of the next page, if there is no `Link`. */
  nextFrom?: (records: ListRecord[]) => string | undefined;
};

/** The state that `asOf` names. */
function stateAt({ past, present, pastTime }: World, { asOf }: Values): State {
  if (asOf === undefined) return present;
  return asOf === pastTime ? past : { places: [], people: [] };
}

const byId = { id: ({ id }: ListRecord) => [id] };
const byName = { name: ({ name, id }: ListRecord) => [fold(name), name, id] };
const number = (name: string) => (record: ListRecord) => [
  record[name],
  record.id ?? record.placeId,
];

const hasWords = ({ name }: ListRecord, q: string) => matchesSearch(name, q);
const hasPrefix = ({ name }: ListRecord, prefix: string) =>
  name.toLowerCase().startsWith(prefix.toLowerCase());
const hasId = (id: number, ids: string) => ids.split(",").includes(String(id));
const recordFilters = {
  q: hasWords,
  name: hasPrefix,
  ids: ({ id }: ListRecord, ids: string) => hasId(id, ids),
};
const equals = (name: string) => (record: ListRecord, value: string) =>
  String(record[name]) === value;
const personFilters = {
  ...recordFilters,
  isAlive: equals("isAlive"),
  isKing: equals("isKing"),
  placeId: ({ placeId }: ListRecord, ids: string) =>
    placeId === null ? ids === "none" : hasId(placeId, ids),
};

/** The people of a place that a request shows, in order of id. */
function residents({ people }: State, id: number | null, { isAlive, isKing }: Values): Person[] {
  return people.filter(
    (person) =>
      person.placeId === id &&
      (isAlive === undefined || String(person.isAlive) === isAlive) &&
      (isKing === undefined || String(person.isKing) === isKing),
  );
}

function limited(people: Person[], { peopleLimit }: Values, more: ListRecord): ListRecord {
  const limit = Number(peopleLimit ?? 1000);
  const shown = people.slice(0, limit).map(residentOf);
  return { ...more, people: shown, ...(people.length > limit && { next: true }) };
}

function counts(state: State, id: number | null) {
  const all = residents(state, id, {});
  const living = all.filter(({ isAlive }) => isAlive).length;
  const king = all.find(({ isKing }) => isKing);
  return {
    total: all.length,
    living,
    dead: all.length - living,
    king: king ? { id: king.id, name: king.name } : null,
  };
}

function statistics(state: State, place: Place | null): ListRecord {
  const everyone = state.people.filter(({ isAlive }) => isAlive).length;
  const { total, living, dead, king } = counts(state, place?.id ?? null);
  const share = everyone ? Math.round((living / everyone) * 1e6) / 1e6 : 0;
  const { id = null, name = null } = place ?? {};
  return { id, name, total, living, dead, share, king };
}

const withKing = ({ king, ...record }: ListRecord) => [
  { ...record, kingId: king?.id, kingName: king?.name },
];

const statisticsModel: ListModel = {
  records: (world, values) => {
    const state = stateAt(world, values);
    return state.places.map((place) => statistics(state, place));
  },
  handles: ["asOf"],
  filters: { q: hasWords, least: ({ living }, least) => living >= Number(least) },
  orders: {
    ...byId,
    ...byName,
    ...Object.fromEntries(["living", "dead", "total", "share"].map((name) => [name, number(name)])),
  },
  // A search finds names of places.
  lastRecords: (world, values) =>
    values.q === undefined ? [statistics(stateAt(world, values), null)] : [],
  rows: withKing,
};

const populationModel: ListModel = {
  records: (world, values) => {
    const state = stateAt(world, values);
    const all = state.places.map(({ id }) => ({ placeId: id, ...counts(state, id) }));
    return all.filter(({ total }) => total > 0);
  },
  handles: ["asOf"],
  filters: {
    least: ({ living }, least) => living >= Number(least),
    ids: ({ placeId }, ids) => hasId(placeId, ids),
  },
  orders: {
    id: ({ placeId }) => [placeId],
    ...Object.fromEntries(["living", "dead", "total"].map((name) => [name, number(name)])),
  },
  rows: withKing,
};

const hasNext = ({ next, ...record }: ListRecord) => ({ ...record, ...(next && { next: true }) });

const perPlace: ListModel = {
  records: ({ present }, values) =>
    present.places.flatMap((place) => {
      const people = residents(present, place.id, values);
      const { hasPeople } = values;
      const isShown = hasPeople === undefined || String(people.length > 0) === hasPeople;
      return isShown ? [limited(people, values, place)] : [];
    }),
  handles: ["peopleLimit", "isAlive", "isKing", "hasPeople"],
  filters: recordFilters,
  orders: { ...byId, ...byName },
  shown: hasNext,
  rows: ({ id: placeId, name: placeName, people }) =>
    (people.length > 0 ? people : [{}]).map((person: ListRecord) => ({
      ...{ placeId, placeName },
      ...person,
    })),
};

const byPlace: ListModel = {
  records: ({ present }, values) => {
    const ids = [...new Set(present.people.map(({ placeId }) => placeId))];
    const groups = ids.filter((id) => id !== null).sort((a, b) => a - b);
    return groups.map((placeId) =>
      limited(residents(present, placeId, values), values, { placeId }),
    );
  },
  handles: ["peopleLimit", "isAlive", "isKing"],
  filters: { placeId: ({ placeId }, ids) => hasId(placeId, ids) },
  orders: { id: ({ placeId }) => [placeId] },
  unsortedWith: ["placeId"],
  shown: hasNext,
  nextFrom: (records) => {
    const last = records.at(-1);
    return last && `after=${Buffer.from(`i${last.placeId}`).toString("hex")}`;
  },
};

function series(place: (values: Values) => number | undefined): ListModel {
  return {
    records: (world, values) =>
      seriesTimes(world.pastTime, values).map((at) => {
        const { people } = at === Date.parse(world.pastTime) ? world.past : { people: [] };
        const id = place(values);
        const all = people.filter(({ placeId }) => id === undefined || placeId === id);
        const living = all.filter(({ isAlive }) => isAlive).length;
        return { at: new Date(at).toISOString(), living, dead: all.length - living };
      }),
    handles: ["from", "to", "step", "id", "placeId"],
    filters: {},
  };
}

const shownChange = ({ collection, seq, kind, id, version }: ListRecord) => ({
  ...{ collection, seq, kind, id, version },
});

function changes(collections: ("places" | "people")[]): ListModel {
  return {
    records: ({ changes }, { order }) => {
      const all = collections.flatMap((collection) =>
        changes[collection].map((change) => ({ collection, ...change })),
      );
      all.sort((a, b) => a.at - b.at);
      return order === "desc" ? all.reverse() : all;
    },
    handles: ["order"],
    filters: {
      id: ({ id }, value) => String(id) === value,
      personId: ({ collection, id }, value) => collection === "people" && String(id) === value,
      placeId: ({ place, placeBefore }, value) => [place, placeBefore].map(String).includes(value),
    },
    shown: shownChange,
  };
}

const places: ListModel = {
  records: ({ present }) => present.places,
  filters: recordFilters,
  orders: { ...byId, ...byName },
};
const people: ListModel = {
  records: ({ present }, { expand }) =>
    expand === undefined
      ? present.people
      : present.people.map((person) => ({
          ...person,
          place: present.places.find(({ id }) => id === person.placeId) ?? null,
        })),
  handles: ["expand"],
  filters: personFilters,
  orders: { ...byId, ...byName },
  rows: ({ place, ...person }) => [
    { ...person, ...(place !== undefined && { placeName: place?.name }) },
  ],
};

/** The lists and exports, by their paths in the OpenAPI document. */
export const models: Record<string, ListModel> = {
  "/v1/places": places,
  "/v1/places/export": places,
  "/v1/places/as-of": {
    ...places,
    records: (world, values) => stateAt(world, values).places,
    handles: ["asOf"],
  },
  "/v1/people": people,
  "/v1/people/export": people,
  "/v1/people/by-place": byPlace,
  "/v1/people-per-place": perPlace,
  "/v1/people/population": populationModel,
  "/v1/statistics/places": statisticsModel,
  "/v1/statistics/export": statisticsModel,
  "/v1/statistics/series": series(() => undefined),
  "/v1/statistics/places/{id}/series": series(({ id }) => Number(id)),
  "/v1/people/population/series": series(({ placeId }) => (placeId ? Number(placeId) : undefined)),
  "/v1/changes": changes(["places", "people"]),
  "/v1/places/changes": changes(["places"]),
  "/v1/people/changes": changes(["people"]),
  "/v1/places/{id}/history": changes(["places"]),
  "/v1/people/{id}/history": changes(["people"]),
};

/** A random value of each parameter that selects records. */
export const generators: Record<string, (random: Random, world: World, path: string) => string> = {
  q: (random, world, path) => randomSearch(random, namesOf(world, path)),
  name: (random, world, path) => randomPrefix(random, namesOf(world, path)),
  ids: (random, world, path) => {
    const all = path.includes("people/") || path === "/v1/people" ? "people" : "places";
    const known = world.present[all].filter(() => random.chance(0.3)).map(({ id }) => id);
    return [...known, 999_999].reverse().join(",");
  },
  isAlive: (random) => String(random.chance(0.5)),
  isKing: (random) => String(random.chance(0.5)),
  hasPeople: (random) => String(random.chance(0.5)),
  placeId: (random, { present }, path) => {
    const id = () => String(random.pick(present.places)?.id);
    if (path !== "/v1/people" && path !== "/v1/people/export") return id();
    return random.pick(["none", id(), `${id()},${id()},999999`]) ?? "none";
  },
  personId: (random, { changes }) => String(random.pick(changes.people)?.id),
  order: (random) => random.pick(["asc", "desc"]) ?? "asc",
  expand: () => "place",
  peopleLimit: (random) => String(1 + random.below(4)),
  least: (random) => String(1 + random.below(4)),
  asOf: (random, { pastTime }) => random.pick([pastTime, "1999-12-31"]) ?? pastTime,
  id: (random, { present, changes }, path) => {
    if (path.endsWith("/series")) return String(random.pick(present.places)?.id);
    const collection = path.startsWith("/v1/people") ? "people" : "places";
    return String(random.pick(changes[collection])?.id);
  },
  step: (random) => random.pick(["hour", "day", "week", "month"]) ?? "day",
  from: (random, { pastTime }) => {
    const time = new Date(Date.parse(pastTime) - random.below(40 * 86_400_000)).toISOString();
    return random.chance(0.5) ? time : time.slice(0, 10);
  },
  to: (_random, { pastTime }) => pastTime,
};

function namesOf({ past, present }: World, path: string): string[] {
  const all = /^\/v1\/people(\/export)?$/.test(path) ? "people" : "places";
  return [...past[all], ...present[all]].map(({ name }) => name);
}
