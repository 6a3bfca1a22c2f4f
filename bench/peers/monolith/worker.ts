// One worker with one database. SQL joins the tables and renders the JSON, as in PostgREST. There are
// no calls between services.
import { parseCsv } from "../csv.ts";
import type { D1Database, D1Statement } from "../platform.ts";

type Env = { DB: D1Database };

const resident = `json_object(
  'id', id, 'name', name,
  'isAlive', json(iif(is_alive, 'true', 'false')), 'isKing', json(iif(is_king, 'true', 'false'))
)`;
const person = `json_object(
  'id', id, 'name', name, 'isAlive', json(iif(is_alive, 'true', 'false')),
  'placeId', place_id, 'isKing', json(iif(is_king, 'true', 'false'))
)`;
const withPeople = `json_object('id', id, 'name', name, 'people', (
  SELECT json_group_array(${resident})
  FROM (SELECT id, name, is_alive, is_king FROM person WHERE place_id = place.id ORDER BY id)
))`;
const aPage = "WHERE id > ? ORDER BY id LIMIT ?";

/** A page as one JSON text. A D1 value is at most 2 MB, so a long page has one row per record. */
function list(env: Env, record: string, table: string, columns: string): Handler {
  return async ({ url }) => {
    const limit = Number(url.searchParams.get("limit") ?? 100);
    const after = Number(url.searchParams.get("after") ?? 0);
    if (!(limit >= 1 && limit <= 1000)) return json('{"error":"limit"}', 400);
    if (limit <= 100) {
      const sql = `SELECT json_group_array(json(record)) FROM (
        SELECT ${record} AS record FROM (SELECT ${columns} FROM ${table} ${aPage}) AS ${table}
      )`;
      const [row] = await env.DB.prepare(sql).bind(after, limit).raw<[string]>();
      return json(row?.[0] ?? "[]");
    }
    const rows = env.DB.prepare(`SELECT ${record} FROM ${table} ${aPage}`).bind(after, limit);
    return json(`[${(await rows.raw<[string]>()).join(",")}]`);
  };
}

async function one(statement: D1Statement): Promise<Response> {
  const [row] = await statement.raw<[string]>();
  return row ? json(row[0]) : json('{"error":"no such record"}', 404);
}

const statistics = `
WITH
  asked AS (SELECT id, name FROM place ${aPage}),
  alive AS (SELECT count(*) AS living FROM person WHERE is_alive = 1),
  counted AS (
    SELECT asked.id, asked.name, count(person.id) AS total, coalesce(sum(is_alive), 0) AS living,
      max(iif(is_king, person.id, NULL)) AS king_id,
      max(iif(is_king, person.name, NULL)) AS king_name
    FROM asked LEFT JOIN person ON person.place_id = asked.id
    GROUP BY asked.id
  )
SELECT json_group_array(json_object(
  'id', id, 'name', name, 'total', total, 'living', counted.living, 'dead', total - counted.living,
  'share', round(counted.living * 1.0 / max(alive.living, 1), 6),
  'king', iif(king_id IS NULL, NULL, json_object('id', king_id, 'name', king_name))
) ORDER BY id)
FROM counted, alive`;

const patch = `
UPDATE person SET
  name = iif(json_type(?2, '$.name') IS NULL, name, ?2 ->> '$.name'),
  is_alive = iif(json_type(?2, '$.isAlive') IS NULL, is_alive, ?2 ->> '$.isAlive'),
  is_king = iif(json_type(?2, '$.isKing') IS NULL, is_king, ?2 ->> '$.isKing'),
  place_id = iif(json_type(?2, '$.placeId') IS NULL, place_id, ?2 ->> '$.placeId')
WHERE id = ?1
RETURNING ${person}`;

const insert = `
INSERT INTO person (name, is_alive, is_king, place_id)
SELECT value ->> 'name', value ->> 'isAlive' = 'true', value ->> 'isKing' = 'true',
  nullif(value ->> 'placeId', '')
FROM json_each(?)
WHERE value ->> 'placeId' = '' OR value ->> 'placeId' IN (SELECT id FROM place)`;

async function take(env: Env, request: Request): Promise<Response> {
  const records = parseCsv(await request.text());
  for (let n = 0; n < records.length; n += 10_000) {
    await env.DB.prepare(insert)
      .bind(JSON.stringify(records.slice(n, n + 10_000)))
      .run();
  }
  return json(JSON.stringify({ read: records.length, created: records.length }));
}

const cell = `'"' || replace(name, '"', '""') || '"'`;
const lines = `
SELECT group_concat(
  id || ',' || iif(name GLOB '*[",' || char(10, 13) || ']*', ${cell}, name)
    || ',' || iif(is_alive, 'true', 'false') || ',' || coalesce(place_id, '')
    || ',' || iif(is_king, 'true', 'false') || char(10), ''
), max(id)
FROM (SELECT * FROM person WHERE id > ? ORDER BY id LIMIT 5000)`;

function give(env: Env): Response {
  const encoder = new TextEncoder();
  let after: number | undefined;
  const body = new ReadableStream({
    async pull(out) {
      if (after === undefined) {
        after = 0;
        out.enqueue(encoder.encode("id,name,isAlive,placeId,isKing\n"));
      }
      const [row] = await env.DB.prepare(lines).bind(after).raw<[string | null, number]>();
      if (!row?.[0]) return out.close();
      after = row[1];
      out.enqueue(encoder.encode(row[0]));
    },
  });
  return new Response(body, { headers: { "content-type": "text/csv" } });
}

type Handler = (asked: { request: Request; url: URL; id: number }) => Promise<Response> | Response;

function routes(env: Env): Record<string, Handler> {
  const byId = (record: string, table: string): Handler => {
    const sql = `SELECT ${record} FROM ${table} WHERE id = ?`;
    return ({ id }) => one(env.DB.prepare(sql).bind(id));
  };
  const place = "json_object('id', id, 'name', name)";
  return {
    "GET people-per-place": list(env, withPeople, "place", "id, name"),
    "GET people-per-place/:id": byId(withPeople, "place"),
    "GET places": list(env, place, "place", "id, name"),
    "GET places/:id": byId(place, "place"),
    "GET people": list(env, person, "person", "id, name, is_alive, is_king, place_id"),
    "GET people/:id": byId(person, "person"),
    "GET people/export": () => give(env),
    "GET statistics/places": ({ url }) => {
      const limit = Number(url.searchParams.get("limit") ?? 100);
      const after = Number(url.searchParams.get("after") ?? 0);
      return one(env.DB.prepare(statistics).bind(after, limit));
    },
    "PATCH people/:id": async ({ request, id }) =>
      one(env.DB.prepare(patch).bind(id, await request.text())),
    "POST people/import": ({ request }) => take(env, request),
  };
}

let table: Record<string, Handler> | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    table ??= routes(env);
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/v1\//, "");
    const id = Number(/\/(\d+)$/.exec(path)?.[1]);
    const route = table[`${request.method} ${path.replace(/\/\d+$/, "/:id")}`];
    if (!route) return json('{"error":"no such route"}', 404);
    const response = await route({ request, url, id });
    const known = request.headers.get("if-none-match");
    return known === null ? response : unless(known, response);
  },
};

function json(text: string, status = 200): Response {
  return new Response(text, { status, headers: { "content-type": "application/json" } });
}

/** The response, or a 304 if the client has it. */
async function unless(known: string, response: Response): Promise<Response> {
  const body = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", body));
  const etag = `"${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
  if (known === etag) return new Response(null, { status: 304, headers: { etag } });
  const { status, headers } = response;
  return new Response(body, { status, headers: { ...Object.fromEntries(headers), etag } });
}
