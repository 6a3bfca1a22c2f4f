// Fills a registry with many people in SQL.
import type { System } from "./harness.ts";

/** Adds people with one bulk insert per 50,000, ten per place. One in twenty is dead. */
export async function fillRegistry({ db }: System, people: number): Promise<void> {
  const numbers = (from: number, to: number) =>
    `WITH RECURSIVE n (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM n WHERE n < ${to})`;
  const inParts = async (count: number, insert: (numbers: string) => Promise<void>) => {
    for (let from = 1; from <= count; from += 50_000) {
      await insert(numbers(from, Math.min(count, from + 49_999)));
    }
  };
  await inParts(Math.max(20, people / 10), (numbers) =>
    db.places.exec(
      `${numbers} INSERT INTO place (id, name, name_key)
       SELECT n, 'Lugar ' || n, 'lugar ' || n FROM n;`,
    ),
  );
  await inParts(people, (numbers) =>
    db.people.exec(
      `INSERT INTO bulk_insert (id, after_seq, last_id, at)
       SELECT 1, coalesce(max(seq), 0), coalesce((SELECT max(id) FROM person), 0), CAST(unixepoch('subsec') * 1000 AS INTEGER)
       FROM person_change;
       ${numbers} INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
       SELECT n, 'Persona ' || n, 'persona ' || n, n % 20 > 0, n % 10 = 1,
         iif(n % 40 = 0, NULL, 1 + n / 10)
       FROM n;
       DELETE FROM bulk_insert;`,
    ),
  );
}
