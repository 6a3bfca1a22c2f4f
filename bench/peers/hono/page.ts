import { validator } from "hono/validator";

/** The page parameters of a query. */
export const page = validator("query", (value, c) => {
  const limit = Number(value.limit ?? 100);
  const after = Number(value.after ?? 0);
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1000)) {
    return c.json({ error: "limit must be a whole number from 1 to 1000" }, 400);
  }
  if (!Number.isInteger(after)) return c.json({ error: "after must be an id" }, 400);
  return { limit, after };
});

/** The id in a path. */
export const byId = validator("param", (value, c) => {
  const id = Number(value.id);
  if (!(Number.isSafeInteger(id) && id > 0)) return c.json({ error: "no such record" }, 404);
  return { id };
});
