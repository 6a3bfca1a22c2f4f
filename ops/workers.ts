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
