import { Hono } from "hono";
import { etag } from "hono/etag";
import type { D1Database } from "../platform.ts";
import { byId, page } from "./page.ts";

export type Place = { id: number; name: string };

const app = new Hono<{ Bindings: { DB: D1Database } }>().basePath("/v1");

app.get("/places", etag(), page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const { results } = await c.env.DB.prepare(
    "SELECT id, name FROM place WHERE id > ? ORDER BY id LIMIT ?",
  )
    .bind(after, limit)
    .all<Place>();
  return c.json(results);
});

app.get("/places/:id", etag(), byId, async (c) => {
  const { id } = c.req.valid("param");
  const place = await c.env.DB.prepare("SELECT id, name FROM place WHERE id = ?")
    .bind(id)
    .first<Place>();
  return place ? c.json(place) : c.json({ error: "no such place" }, 404);
});

/** The existing ones of some places. */
app.post("/places/existing", async (c) => {
  const ids = await c.req.json<number[]>();
  const { results } = await c.env.DB.prepare(
    "SELECT id FROM place WHERE id IN (SELECT value FROM json_each(?))",
  )
    .bind(JSON.stringify(ids))
    .all<{ id: number }>();
  return c.json(results.map(({ id }) => id));
});

export default app;
