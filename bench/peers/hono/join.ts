import { Hono } from "hono";
import { etag } from "hono/etag";
import type { Service } from "../platform.ts";
import { byId, page } from "./page.ts";
import type { Person, Population } from "./people.ts";
import type { Place } from "./places.ts";

const app = new Hono<{ Bindings: { PLACES: Service; PEOPLE: Service } }>().basePath("/v1");

async function json<T>(service: Service, path: string): Promise<T> {
  const response = await service.fetch(`http://service/v1${path}`);
  return (await response.json()) as T;
}

const resident = ({ id, name, isAlive, isKing }: Person) => ({ id, name, isAlive, isKing });

app.get("/people-per-place", etag(), page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const query = `limit=${limit}&after=${after}`;
  const [places, people] = await Promise.all([
    json<Place[]>(c.env.PLACES, `/places?${query}`),
    json<Person[]>(c.env.PEOPLE, `/people/of-places?${query}`),
  ]);
  const residents = Map.groupBy(people, ({ placeId }) => placeId);
  return c.json(
    places.map((place) => ({ ...place, people: (residents.get(place.id) ?? []).map(resident) })),
  );
});

app.get("/people-per-place/:id", etag(), byId, async (c) => {
  const { id } = c.req.valid("param");
  const [place, people] = await Promise.all([
    c.env.PLACES.fetch(`http://places/v1/places/${id}`),
    json<Person[]>(c.env.PEOPLE, `/people/of-place/${id}`),
  ]);
  if (!place.ok) return c.json({ error: "no such place" }, 404);
  return c.json({ ...((await place.json()) as Place), people: people.map(resident) });
});

app.get("/statistics/places", page, async (c) => {
  const { limit, after } = c.req.valid("query");
  const query = `limit=${limit}&after=${after}`;
  type Populations = { populations: Population[]; living: { living: number } };
  const [places, { populations, living: all }] = await Promise.all([
    json<Place[]>(c.env.PLACES, `/places?${query}`),
    json<Populations>(c.env.PEOPLE, `/people/population?${query}`),
  ]);
  const byPlace = new Map(populations.map((population) => [population.placeId, population]));
  return c.json(
    places.map(({ id, name }) => {
      const { total, living, kingId, kingName } = byPlace.get(id) ?? { total: 0, living: 0 };
      return {
        id,
        name,
        total,
        living,
        dead: total - living,
        share: all.living ? Math.round((living / all.living) * 1e6) / 1e6 : 0,
        king: kingId ? { id: kingId, name: kingName } : null,
      };
    }),
  );
});

app.all("/places/*", (c) => c.env.PLACES.fetch(c.req.raw));
app.all("/people/*", (c) => c.env.PEOPLE.fetch(c.req.raw));

export default app;
