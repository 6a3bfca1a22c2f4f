// The kinds of writes, each made ready to be sent, and looked at from outside.
import type { Answer, System } from "../support/harness.ts";

/** A write: how it is sent, each time the same, and how what it writes looks now. */
export type Case = {
  send: (headers: Record<string, string>) => Promise<Answer>;
  look: () => Promise<string>;
};

/** Makes one ready that has not been sent before. */
export type Kind = (system: System, n: number) => Promise<Case>;

const csv = { "content-type": "text/csv" };

async function made(system: System, path: string, body: object): Promise<number> {
  const { status, json, text } = await system.join.send("POST", path, body);
  if (status !== 201) throw new Error(text);
  return json.id;
}

const place = (system: System, name: string) => made(system, "/v1/places", { name });
const person = (system: System, name: string, placeId: number | null) =>
  made(system, "/v1/people", { name, isAlive: placeId !== null, placeId });

/** How everybody and every place of one case looks: all their names end alike. */
function seen(system: System, n: number) {
  const where = `WHERE name LIKE '% ${n}' ORDER BY id`;
  return async () => {
    const people = `SELECT id, name, is_alive, is_king, place_id FROM person ${where}`;
    const places = `SELECT id, name FROM place ${where}`;
    const found = [system.db.people.rows(people), system.db.places.rows(places)];
    return JSON.stringify(await Promise.all(found));
  };
}

/** A write of somebody who lives in one of two places. */
const ofPerson =
  (send: (system: System, id: number, to: number, n: number) => Case["send"]): Kind =>
  async (system, n) => {
    const [from, to] = [await place(system, `From ${n}`), await place(system, `To ${n}`)];
    const id = await person(system, `Somebody ${n}`, from);
    return { send: send(system, id, to, n), look: seen(system, n) };
  };

/** A write of a place with somebody dead in it, and perhaps somebody alive. */
const ofPlace =
  (isLivedIn: boolean, send: (system: System, id: number, to: number, n: number) => Case["send"]) =>
  async (system: System, n: number): Promise<Case> => {
    const [id, to] = [await place(system, `From ${n}`), await place(system, `To ${n}`)];
    const dead = { name: `Ghost ${n}`, isAlive: false, placeId: id };
    await made(system, "/v1/people", dead);
    if (isLivedIn) await person(system, `Somebody ${n}`, id);
    return { send: send(system, id, to, n), look: seen(system, n) };
  };

export const kinds: Record<string, Kind> = {
  "create a person": ofPerson(({ join }, _, to, n) => (headers) => {
    const body = { name: `New ${n}`, isAlive: true, placeId: to };
    return join.send("POST", "/v1/people", body, headers);
  }),
  "replace a person": ofPerson(({ join }, id, to, n) => (headers) => {
    const body = { name: `Other ${n}`, isAlive: true, placeId: to, isKing: true };
    return join.send("PUT", `/v1/people/${id}`, body, headers);
  }),
  "move a person": ofPerson(({ join }, id, to) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}`, { placeId: to }, headers);
  }),
  "rename a person": ofPerson(({ join }, id, _, n) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}`, { name: `Other ${n}` }, headers);
  }),
  "crown a person": ofPerson(({ join }, id) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}?depose=true`, { isKing: true }, headers);
  }),
  "delete a person": ofPerson(({ join }, id) => (headers) => {
    return join.ask("DELETE", `/v1/people/${id}`, headers);
  }),
  "create a place": ofPlace(true, ({ join }, _, __, n) => (headers) => {
    return join.send("POST", "/v1/places", { name: `New ${n}` }, headers);
  }),
  "replace a place": ofPlace(true, ({ join }, id, _, n) => (headers) => {
    return join.send("PUT", `/v1/places/${id}`, { name: `Other ${n}` }, headers);
  }),
  "rename a place": ofPlace(true, ({ join }, id, _, n) => (headers) => {
    return join.send("PATCH", `/v1/places/${id}`, { name: `Other ${n}` }, headers);
  }),
  "delete a place": ofPlace(false, ({ join }, id) => (headers) => {
    return join.ask("DELETE", `/v1/places/${id}`, headers);
  }),
  "delete a place and move its people": ofPlace(true, ({ join }, id, to) => (headers) => {
    return join.ask("DELETE", `/v1/places/${id}?reassignTo=${to}`, headers);
  }),
  "import people": ofPerson(({ join }, _, to, n) => (headers) => {
    const file = `name,isAlive,placeId\nOne ${n},true,${to}\nTwo ${n},true,${to}\n`;
    return join.ask("POST", "/v1/people/import", { ...headers, ...csv }, file);
  }),
  "import places": ofPerson(({ join }, _, __, n) => (headers) => {
    return join.ask("POST", "/v1/places/import", { ...headers, ...csv }, `name\nA ${n}\nB ${n}\n`);
  }),
  repair: async (system, n) => {
    const [from, to] = [await place(system, `From ${n}`), await place(system, `To ${n}`)];
    const id = await person(system, `Somebody ${n}`, from);
    const stays = await person(system, `Other ${n}`, to);
    // As a crash leaves them: a deletion that is marked, and pending writes.
    const mark = "INSERT INTO tombstone (place_id, phase, reassign_to, since)";
    await system.db.places.exec(`${mark} VALUES (${from}, 'deleting', ${to}, 0);`);
    const pending = "INSERT INTO pending_write (token, place_id, person_id, since)";
    await system.db.people.exec(
      `${pending} VALUES ('${n} a', ${to}, ${id}, 0), ('${n} b', ${to}, ${stays}, 0);`,
    );
    const path = "/v1/integrity/repair?olderThan=0";
    return { send: (headers) => system.join.ask("POST", path, headers), look: seen(system, n) };
  },
};
