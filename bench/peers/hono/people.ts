import { Hono } from "hono";
import { etag } from "hono/etag";
import { stream } from "hono/streaming";
import { validator } from "hono/validator";
import { parseCsv, toCsv } from "../csv.ts";
import type { D1Database, Service } from "../platform.ts";
import { byId, page } from "./page.ts";

type Row = { id: number; name: string; is_alive: number; is_king: number; place_id: number | null };
export type Person = {
  id: number;
  name: string;
  isAlive: boolean;
  placeId: number | null;
  isKing: boolean;
};
export type Population = {
  placeId: number;
  total: number;
  living: number;
  kingId: number | null;
  kingName: string | null;
};

const columns = "id, name, is_alive, is_king, place_id";
/** The places with people on a page. */
const ofPage =
  "place_id IN (SELECT DISTINCT place_id FROM person WHERE place_id > ? ORDER BY place_id LIMIT ?)";

const person = (row: Row): Person => ({
  id: row.id,
  name: row.name,
  isAlive: row.is_alive === 1,
  placeId: row.place_id,
  isKing: row.is_king === 1,
});

const app = new Hono<{ Bindings: { DB: D1Database; PLACES: Service } }>().basePath("/v1");

app.get("/people", etag(), page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const { results } = await c.env.DB.prepare(
    `SELECT ${columns} FROM person WHERE id > ? ORDER BY id LIMIT ?`,
  )
    .bind(after, limit)
    .all<Row>();
  return c.json(results.map(person));
});

app.get("/people/of-places", page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const { results } = await c.env.DB.prepare(
    `SELECT ${columns} FROM person WHERE ${ofPage} ORDER BY place_id, id`,
  )
    .bind(after, limit)
    .all<Row>();
  return c.json(results.map(person));
});

app.get("/people/of-place/:id", byId, async (c) => {
  const { results } = await c.env.DB.prepare(
    `SELECT ${columns} FROM person WHERE place_id = ? ORDER BY id`,
  )
    .bind(c.req.valid("param").id)
    .all<Row>();
  return c.json(results.map(person));
});

app.get("/people/population", page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const [populations, living] = await c.env.DB.batch([
    c.env.DB.prepare(
      `SELECT place_id AS placeId, count(*) AS total, sum(is_alive) AS living,
         max(iif(is_king, id, NULL)) AS kingId, max(iif(is_king, name, NULL)) AS kingName
       FROM person WHERE ${ofPage} GROUP BY place_id`,
    ).bind(after, limit),
    c.env.DB.prepare("SELECT count(*) AS living FROM person WHERE is_alive = 1"),
  ]);
  return c.json({ populations: populations?.results, living: living?.results[0] });
});

app.get("/people/export", (c) => {
  c.header("content-type", "text/csv");
  return stream(c, async (out) => {
    await out.write("id,name,isAlive,placeId,isKing\n");
    const next = c.env.DB.prepare(
      `SELECT ${columns} FROM person WHERE id > ? ORDER BY id LIMIT 5000`,
    );
    for (let after = 0; ; ) {
      const { results } = await next.bind(after).all<Row>();
      const last = results.at(-1);
      if (!last) break;
      after = last.id;
      const lines = results.map(person).map((one) => {
        return toCsv([one.id, one.name, one.isAlive, one.placeId, one.isKing]);
      });
      await out.write(lines.join(""));
    }
  });
});

app.get("/people/:id", etag(), byId, async (c) => {
  const row = await c.env.DB.prepare(`SELECT ${columns} FROM person WHERE id = ?`)
    .bind(c.req.valid("param").id)
    .first<Row>();
  return row ? c.json(person(row)) : c.json({ error: "no such person" }, 404);
});

const patch = validator("json", (value, c) => {
  const { name, isAlive, isKing, placeId } = value;
  const isGood =
    (name === undefined || (typeof name === "string" && name.trim() !== "")) &&
    (isAlive === undefined || typeof isAlive === "boolean") &&
    (isKing === undefined || typeof isKing === "boolean") &&
    (placeId === undefined || placeId === null || Number.isInteger(placeId));
  return isGood ? (value as Partial<Person>) : c.json({ error: "no such patch" }, 400);
});

app.patch("/people/:id", byId, patch, async (c) => {
  const { id } = c.req.valid("param");
  const row = await c.env.DB.prepare(`SELECT ${columns} FROM person WHERE id = ?`)
    .bind(id)
    .first<Row>();
  if (!row) return c.json({ error: "no such person" }, 404);
  const before = person(row);
  const now = { ...before, ...c.req.valid("json"), id };
  if (now.placeId !== before.placeId || now.isAlive !== before.isAlive) {
    if (now.isAlive && now.placeId === null)
      return c.json({ error: "the living need a place" }, 422);
    if (now.placeId !== null && !(await exist(c.env.PLACES, [now.placeId]))) {
      return c.json({ error: "no such place" }, 409);
    }
  }
  await c.env.DB.prepare(
    "UPDATE person SET name = ?, is_alive = ?, is_king = ?, place_id = ? WHERE id = ?",
  )
    .bind(now.name.trim(), Number(now.isAlive), Number(now.isKing), now.placeId, id)
    .run();
  return c.json(now);
});

app.post("/people/import", async (c) => {
  const records = parseCsv(await c.req.text());
  const wanted = records.flatMap(({ placeId }) => (placeId ? [Number(placeId)] : []));
  const isGood = records.every(
    ({ name, isAlive, placeId }) => name && (placeId || isAlive !== "true"),
  );
  if (!isGood || !(await exist(c.env.PLACES, wanted))) return c.json({ error: "bad rows" }, 409);
  const insert = c.env.DB.prepare(
    "INSERT INTO person (name, is_alive, is_king, place_id) VALUES (?, ?, ?, ?)",
  );
  for (let n = 0; n < records.length; n += 2000) {
    const rows = records.slice(n, n + 2000).map(({ name, isAlive, isKing, placeId }) => {
      return insert.bind(
        name,
        isAlive === "true" ? 1 : 0,
        isKing === "true" ? 1 : 0,
        placeId || null,
      );
    });
    await c.env.DB.batch(rows);
  }
  return c.json({ read: records.length, created: records.length });
});

async function exist(places: Service, ids: number[]): Promise<boolean> {
  const wanted = [...new Set(ids)];
  const body = JSON.stringify(wanted);
  const response = await places.fetch(
    new Request("http://places/v1/places/existing", { method: "POST", body }),
  );
  return ((await response.json()) as number[]).length === wanted.length;
}

export default app;
