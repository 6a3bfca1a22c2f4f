// Measures lower bounds. `one` only reads a response from the database, and `constant` only sends
// one from memory. The database has the product's responses by key, so that the bytes are the same.
import type { D1Database, Service } from "../platform.ts";

type Env = { DB: D1Database; PLACES?: Service; PEOPLE?: Service };

const PARTS = "SELECT body FROM answer WHERE key = ? ORDER BY part";
const PART = "SELECT body FROM answer WHERE key = ? AND part = ?";
const headers = { "content-type": "application/json" };
const constants = new Map<string, Uint8Array<ArrayBuffer>>();

async function one(env: Env, key: string): Promise<string> {
  const rows = await env.DB.prepare(PARTS).bind(key).raw<[string]>();
  return rows.length === 1 ? (rows[0]?.[0] ?? "") : rows.join("");
}

async function constant(env: Env, key: string): Promise<Uint8Array<ArrayBuffer>> {
  const known = constants.get(key);
  if (known) return known;
  const made = new TextEncoder().encode(await one(env, key));
  constants.set(key, made);
  return made;
}

/** Streams a response with one query per part. */
function stream(env: Env, key: string): ReadableStream {
  const encoder = new TextEncoder();
  let part = 0;
  return new ReadableStream({
    async pull(out) {
      const [row] = await env.DB.prepare(PART).bind(key, part).raw<[string]>();
      if (!row) return out.close();
      part += 1;
      out.enqueue(encoder.encode(row[0]));
    },
  });
}

/** Requests both services at the same time. Each has its part under its own key. */
function both({ PLACES, PEOPLE }: Env, path: string): Promise<Response[]> {
  return Promise.all([
    (PLACES as Service).fetch(`http://floor${path}.places`),
    (PEOPLE as Service).fetch(`http://floor${path}.people`),
  ]);
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, what = "", key = ""] = new URL(request.url).pathname.split("/");
    switch (what) {
      case "constant":
        return new Response(await constant(env, key), { headers });
      case "one":
        return new Response(await one(env, key), { headers });
      case "stream":
        return new Response(stream(env, key), { headers });
      case "behind":
        return (env.PEOPLE as Service).fetch(`http://floor/one/${key}`);
      case "two": {
        const answers = await both(env, `/one/${key}`);
        const [places, people] = await Promise.all(answers.map((answer) => answer.text()));
        return new Response(`${places}${people}`, { headers });
      }
      case "known":
        await env.DB.prepare("SELECT max(part) FROM answer WHERE key = ?").bind(key).raw();
        return new Response(null, { status: 304 });
      case "unchanged":
        await both(env, `/known/${key}`);
        return new Response(null, { status: 304 });
      default:
        return new Response(null, { status: 404 });
    }
  },
};
