// Creates random places and people with a past. The tests compare lists with the plain functions of
// this module.
import { setTimeout as sleep } from "node:timers/promises";
import { completePerson } from "./declared_fields.ts";
import type { Person, Place } from "./fixtures.ts";
import type { System } from "./harness.ts";
import type { Random } from "./random.ts";

/** The places and people at a time. */
export type State = { places: Place[]; people: Person[] };

export type World = {
  /** A time between the first writes and the later ones, and the state at that time. */
  pastTime: string;
  past: State;
  present: State;
  /** The rows of both change logs. */
  changes: Record<"places" | "people", Change[]>;
};

export type Change = {
  at: number;
  seq: number;
  kind: string;
  id: number;
  version: number;
  /** The place after the change, and before it. */
  place: number | null;
  placeBefore: number | null;
};

const FIRST = ["Ana", "Ángel", "angela", "Ñandú", "Nando", "Óscar", "O'Hara", "Ana-Lía", "Βράχος"];
const SECOND = ["Álamo", "alamo", "del Río", 'la "Alta"', "Zumo, S.A.", "Пётр", "Zoe", "Az"];

/** A name of one to three parts. Many names begin alike, and some are equal. */
function name(random: Random): string {
  const parts = [random.pick(FIRST), random.pick(SECOND)];
  if (random.chance(0.4)) parts.push(random.pick(FIRST));
  return parts.slice(0, random.chance(0.2) ? 1 : 3).join(" ");
}

function randomState(random: Random): State {
  const places = Array.from({ length: 40 }, (_, n) => ({
    id: 1 + 2 * n,
    name: `${name(random)} ${n}`,
  }));
  const withKing = new Set<number>();
  const people = Array.from({ length: 160 }, (_, n) => {
    // The higher places are empty or small.
    const place = places[Math.min(random.below(36), random.below(36))] as Place;
    const isAlive = random.chance(0.6);
    const isKing = isAlive && !withKing.has(place.id) && random.chance(0.3);
    if (isKing) withKing.add(place.id);
    const placeId = isAlive || random.chance(0.7) ? place.id : null;
    return completePerson({ id: 1 + n, name: name(random), isAlive, isKing, placeId });
  });
  return { places, people };
}

async function readState({ db }: System): Promise<State> {
  const places = await db.places.rows("SELECT id, name FROM place ORDER BY id");
  const people = await db.people.rows(
    `SELECT id, name, is_alive AS isAlive, place_id AS placeId, is_king AS isKing
     FROM person ORDER BY id`,
  );
  const person = ({ isAlive, isKing, ...rest }: Record<string, unknown>) =>
    completePerson({ ...rest, isAlive: isAlive === 1, isKing: isKing === 1 } as Person);
  return { places: places as Place[], people: people.map(person) };
}

async function readChanges({ db }: System): Promise<World["changes"]> {
  const rows = (table: "place" | "person") =>
    db[table === "place" ? "places" : "people"].rows(
      `SELECT at, seq, kind, ${table}_id AS id, version, place_id AS place,
         lag(place_id) OVER (PARTITION BY ${table}_id ORDER BY seq) AS placeBefore
       FROM ${table}_change ORDER BY seq`,
    );
  return { places: await rows("place"), people: await rows("person") } as World["changes"];
}

/** Fills a system. Its records have had other states before. */
export async function fillWorld(system: System, random: Random): Promise<World> {
  const first = randomState(random);
  await system.addPlaces(first.places);
  await system.addPeople(first.people);
  const past = await readState(system);
  await sleep(5);
  const pastTime = new Date().toISOString();
  await sleep(5);
  await writeAtRandom(system, random, past);
  return { pastTime, past, present: await readState(system), changes: await readChanges(system) };
}

async function writeAtRandom({ join }: System, random: Random, { places, people }: State) {
  const patch = async (path: string, body: object) => {
    const type = { "content-type": "application/merge-patch+json" };
    const { status, text } = await join.send("PATCH", path, body, type);
    // A rule may reject a random change, for example a second king.
    if (status !== 200 && status !== 409 && status !== 422) throw new Error(`${path}: ${text}`);
  };
  for (const { id } of people.filter(() => random.chance(0.3))) {
    await patch(
      `/v1/people/${id}`,
      random.pick<object>([
        { name: name(random) },
        { isAlive: false, isKing: false },
        { placeId: (random.pick(places) as Place).id },
        { isAlive: true, isKing: true, placeId: (random.pick(places) as Place).id },
      ]) ?? {},
    );
    if (random.chance(0.2)) await join.request("DELETE", `/v1/people/${id}`);
  }
  for (const { id } of places.filter(() => random.chance(0.3))) {
    await patch(`/v1/places/${id}`, { name: `${name(random)} ${100 + id}` });
    // A place with living people stays.
    if (random.chance(0.3)) await join.request("DELETE", `/v1/places/${id}`);
  }
  await join.send("POST", "/v1/places", { name: "Ana Nueva" });
}

/** Without case and accents. */
export const fold = (text: string): string =>
  text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    // A final sigma is a sigma.
    .replaceAll("ς", "σ");

const wordsOf = (text: string) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether each word of a search is the beginning of a word of the name. */
export function matchesSearch(name: string | null, q: string): boolean {
  const words = wordsOf(name ?? "");
  return name !== null && wordsOf(q).every((word) => words.some((own) => own.startsWith(word)));
}

/** A search that finds something, unless its words come from two names. */
export function randomSearch(random: Random, names: string[]): string {
  const word = () => {
    const words = wordsOf(random.pick(names) ?? "").filter((word) => !/^\d/.test(word));
    const [chosen = "a"] = [random.pick(words)];
    return chosen.slice(0, 1 + random.below(4));
  };
  const text = random.chance(0.3) ? `${word()} ${word()}` : word();
  return random.chance(0.3) ? text.toUpperCase() : text;
}

/** The beginning of a name, perhaps in another case. */
export function randomPrefix(random: Random, names: string[]): string {
  const prefix = (random.pick(names) ?? "a").slice(0, 1 + random.below(6));
  return random.chance(0.3) ? prefix.toUpperCase() : prefix;
}
