// A small data set with every kind of record and of name. Also computes its join in a naive way.
import { completePerson, residentOf } from "./declared_fields.ts";

export type Place = { id: number; name: string };
export type Person = {
  id: number;
  name: string;
  isAlive: boolean;
  placeId: number | null;
  isKing: boolean;
};

export const places: Place[] = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
  { id: 3, name: "Veranolandia" },
  { id: 5, name: 'The "Quoted" \\ Place\u{1F3D4}' },
  { id: 8, name: "Ñandú" },
  { id: 9, name: "ñora" },
  { id: 9007199254740991, name: "Última" },
];

function person(id: number, name: string, placeId: number | null, more = {}): Person {
  return completePerson({ id, name, isAlive: true, placeId, isKing: false, ...more });
}

export const people: Person[] = [
  person(1, "Sensei Lamister", 1),
  person(2, "Aiba Stack", 3),
  person(3, "Joaquín Nevado", 3),
  person(4, "Dedo Gordo", null, { isAlive: false }),
  person(5, "Juanito Lamister", 1, { isKing: true }),
  person(6, "Nerf Stack", 3),
  // Equal sort keys, so that only the ids order them.
  person(10, "Alma", 8),
  person(11, "alma", 8),
  person(12, "ALMA", 9),
  person(13, "Álvaro", 8, { isKing: true }),
  person(14, "ÁLVARO", 9, { isAlive: false }),
  person(15, 'O\'Hara "the\\nine" \u{1F451}', 9, { isKing: true }),
  person(16, "ΣΑΣ", 9),
  person(17, "Of No Place At All", null, { isAlive: false }),
  person(9007199254740991, "Zoe", 9007199254740991),
  // Orphans: a foreign key cannot reach into another database.
  person(20, "Orphan", 4),
  person(21, "Orphan", 7),
];

/** Two places with one person each, for tests that need no more. */
export const twoPlaces: Place[] = [
  { id: 1, name: "Uno" },
  { id: 2, name: "Dos" },
];
export const twoPeople: Person[] = [
  { id: 1, name: "Ana", isAlive: true, placeId: 1, isKing: false },
  { id: 2, name: "Bea", isAlive: true, placeId: 2, isKing: true },
];

/** The epoch of the databases that a test starts. */
export const EPOCH = "1f09ab34";

/** The entity tag of a version of a record. */
export const tag = (version: number): string => `"${version}.${EPOCH}"`;

/** The version in the entity tag of a record. */
export const versionOf = (etag: string): number => Number.parseInt(etag.slice(1), 10);

/** Places with the ids 1 to `count`. */
export function makePlaces(count: number): Place[] {
  return Array.from({ length: count }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
}

/** Living people with the ids 1 to `count`, spread over the first `placeCount` places. */
export function makePeople(count: number, placeCount: number): Person[] {
  return Array.from({ length: count }, (_, n) =>
    person(n + 1, `Person ${n + 1}`, 1 + (n % placeCount)),
  );
}

/** The people-per-place join, by nested loops. */
export function joinPeoplePerPlace(places: Place[], people: Person[]) {
  return places.map((place) => ({
    ...place,
    people: people.filter(({ placeId }) => placeId === place.id).map(residentOf),
  }));
}
