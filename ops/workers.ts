// The three workers: what each is called, where its configuration stands, and the table that
// its database is known by.
export const configs = {
  places: "workers/places/wrangler.toml",
  people: "workers/people/wrangler.toml",
  join: "wrangler.toml",
};
export type Name = keyof typeof configs;
export const names = Object.keys(configs) as Name[];

/** Never empty once the database has been filled. */
export const mainTable: Record<Name, string> = {
  places: "place",
  people: "person",
  join: "dataset",
};
