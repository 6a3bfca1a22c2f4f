// Generates the rows of every contestant. They are not random, so that all contestants have the
// same rows.
import type { Person, Place } from "../tests/support/fixtures.ts";

export type Size = { places: number; people: number };

const first = ["Aiba", "Sensei", "Joaquín", "Nerf", "Juanito", "Cercei", "Ñora", "Élodie", "Zoe"];
const last = ["Stack", "Lamister", "Nevado", "Gordo", "Tarambana", "O'Hara", "Müller", "Ωμέγα"];
const kinds = ["Puerto", "Nido", "Isla", "Torre", "Roca", "Bastión", "Cala"];

const pick = (from: string[], n: number): string => from[n % from.length] ?? "";

export function* placesOf({ places }: Size): Generator<Place> {
  for (let id = 1; id <= places; id += 1) yield { id, name: `${pick(kinds, id)} ${id}` };
}

/** One person in 20 is dead, one in 40 has no place, and each place has a king. */
export function* peopleOf({ places, people }: Size): Generator<Person> {
  for (let id = 1; id <= people; id += 1) {
    const isKing = id <= places;
    const isAlive = isKing || id % 20 !== 0;
    const placeId = !isAlive && id % 40 === 0 ? null : 1 + (id % places);
    const name = `${pick(first, id)} ${pick(last, id >> 3)} ${id}`;
    yield { id, name, isAlive, placeId, isKing };
  }
}

/** A CSV file of people to import, without ids. */
export function csvOf({ places }: Size, count: number): string {
  const lines = ["name,isAlive,placeId,isKing"];
  for (let n = 1; n <= count; n += 1) {
    lines.push(`${pick(first, n)} ${pick(last, n >> 3)} new ${n},true,${1 + (n % places)},false`);
  }
  return `${lines.join("\n")}\n`;
}
