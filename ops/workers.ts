// Names the three workers, their configurations, and the main table of each database.
export const configs = {
  places: "workers/places/wrangler.toml",
  people: "workers/people/wrangler.toml",
  join: "wrangler.toml",
};
export type Name = keyof typeof configs;
export const names = Object.keys(configs) as Name[];

/** The main table exists in every version, and is not empty in a filled database. */
export const mainTable: Record<Name, string> = {
  places: "place",
  people: "person",
  join: "dataset",
};

/** A query whose column `filled` is 1 if a database has records or had some. Their ids are in the change
 * log, and are not used again. */
export function filledQuery(name: Name): string {
  const tables: Record<Name, string[]> = {
    places: ["place", "place_change"],
    people: ["person", "person_change"],
    join: ["dataset"],
  };
  const filled = tables[name].map((table) => `EXISTS (SELECT 1 FROM ${table})`);
  return `SELECT ${filled.join(" OR ")} AS filled`;
}
