// The kinds of writes. Each kind prepares its records, can send its write repeatedly, and can read
// its effect in the databases.
import type { ApiResponse, System } from "../support/harness.ts";

export type WriteCase = {
  /** Sends the same write each time. */
  send: (headers: Record<string, string>) => Promise<ApiResponse>;
  /** The present state of all records of this case. */
  observe: () => Promise<string>;
};

/** Prepares a write. The number makes its records distinct from those of other cases. */
export type WriteKind = (system: System, number: number) => Promise<WriteCase>;

/** Builds the write itself, from the id of its record and the id of a second place. */
type SendWrite = (
  system: System,
  id: number,
  otherPlace: number,
  number: number,
) => WriteCase["send"];

const csv = { "content-type": "text/csv" };

async function createRecord(system: System, path: string, body: object): Promise<number> {
  const { status, json, text } = await system.join.send("POST", path, body);
  if (status !== 201) throw new Error(text);
  return json.id;
}

const createPlace = (system: System, name: string) => createRecord(system, "/v1/places", { name });
const createPerson = (system: System, name: string, placeId: number) =>
  createRecord(system, "/v1/people", { name, isAlive: true, placeId });

/** Reads the records of one case, whose names end with its number. */
function observer(system: System, number: number) {
  const filter = `WHERE name LIKE '% ${number}' ORDER BY id`;
  return async () => {
    const people = `SELECT id, name, is_alive, is_king, place_id FROM person ${filter}`;
    const places = `SELECT id, name FROM place ${filter}`;
    const rows = [system.db.people.rows(people), system.db.places.rows(places)];
    return JSON.stringify(await Promise.all(rows));
  };
}

/** A write of a person who lives in the first of two places. */
const personWrite =
  (send: SendWrite): WriteKind =>
  async (system, number) => {
    const from = await createPlace(system, `From ${number}`);
    const to = await createPlace(system, `To ${number}`);
    const id = await createPerson(system, `Somebody ${number}`, from);
    return { send: send(system, id, to, number), observe: observer(system, number) };
  };

/** A write of a place with a dead person, and a living one if it is inhabited. */
const placeWrite =
  (isInhabited: boolean, send: SendWrite): WriteKind =>
  async (system, number) => {
    const id = await createPlace(system, `From ${number}`);
    const to = await createPlace(system, `To ${number}`);
    const dead = { name: `Ghost ${number}`, isAlive: false, placeId: id };
    await createRecord(system, "/v1/people", dead);
    if (isInhabited) await createPerson(system, `Somebody ${number}`, id);
    return { send: send(system, id, to, number), observe: observer(system, number) };
  };

/** A batch that deletes a place, renames another one, and adds a third. */
const batchOfPlaces: SendWrite = ({ join }, id, other, number) => {
  const operations = [
    { op: "delete", id },
    { op: "update", id: other, body: { name: `Other ${number}` } },
    { op: "create", body: { name: `New ${number}` } },
  ];
  return (headers) => join.send("POST", "/v1/places/batch", operations, headers);
};

export const writeKinds: Record<string, WriteKind> = {
  "create a person": personWrite(({ join }, _, to, number) => (headers) => {
    const body = { name: `New ${number}`, isAlive: true, placeId: to };
    return join.send("POST", "/v1/people", body, headers);
  }),
  "replace a person": personWrite(({ join }, id, to, number) => (headers) => {
    const body = { name: `Other ${number}`, isAlive: true, placeId: to, isKing: true };
    return join.send("PUT", `/v1/people/${id}`, body, headers);
  }),
  "move a person": personWrite(({ join }, id, to) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}`, { placeId: to }, headers);
  }),
  "rename a person": personWrite(({ join }, id, _, number) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}`, { name: `Other ${number}` }, headers);
  }),
  "crown a person": personWrite(({ join }, id) => (headers) => {
    return join.send("PATCH", `/v1/people/${id}?depose=true`, { isKing: true }, headers);
  }),
  "delete a person": personWrite(({ join }, id) => (headers) => {
    return join.request("DELETE", `/v1/people/${id}`, headers);
  }),
  "create a place": placeWrite(true, ({ join }, _, __, number) => (headers) => {
    return join.send("POST", "/v1/places", { name: `New ${number}` }, headers);
  }),
  "replace a place": placeWrite(true, ({ join }, id, _, number) => (headers) => {
    return join.send("PUT", `/v1/places/${id}`, { name: `Other ${number}` }, headers);
  }),
  "rename a place": placeWrite(true, ({ join }, id, _, number) => (headers) => {
    return join.send("PATCH", `/v1/places/${id}`, { name: `Other ${number}` }, headers);
  }),
  "delete a place": placeWrite(false, ({ join }, id) => (headers) => {
    return join.request("DELETE", `/v1/places/${id}`, headers);
  }),
  "delete a place and move its people": placeWrite(true, ({ join }, id, to) => (headers) => {
    return join.request("DELETE", `/v1/places/${id}?reassignTo=${to}`, headers);
  }),
  "import people": personWrite(({ join }, _, to, number) => (headers) => {
    const file = `name,isAlive,placeId\nOne ${number},true,${to}\nTwo ${number},true,${to}\n`;
    return join.request("POST", "/v1/people/import", { ...headers, ...csv }, file);
  }),
  "import places": personWrite(({ join }, _, __, number) => (headers) => {
    return join.request(
      "POST",
      "/v1/places/import",
      { ...headers, ...csv },
      `name\nA ${number}\nB ${number}\n`,
    );
  }),
  "a batch of operations on people": personWrite(({ join }, id, to, number) => {
    const operations = [
      { op: "create", body: { name: `New ${number}`, isAlive: true, placeId: to } },
      { op: "update", id, body: { name: `Other ${number}`, placeId: to, isKing: true } },
    ];
    return (headers) => join.send("POST", "/v1/people/batch", operations, headers);
  }),
  "a batch of operations on places": async (system, number) => {
    const id = await createPlace(system, `From ${number}`);
    const to = await createPlace(system, `To ${number}`);
    return {
      send: batchOfPlaces(system, id, to, number),
      observe: observer(system, number),
    };
  },
  // Its dead people lose the place after the batch.
  "delete a place in a batch of operations": placeWrite(false, batchOfPlaces),
  "restore an earlier version of a person": async (system, number) => {
    const write = await personWrite(({ join }, id) => {
      return (headers) => join.send("POST", `/v1/people/${id}/restore`, { version: 1 }, headers);
    })(system, number);
    const [person] = JSON.parse(await write.observe())[0];
    await system.join.send("PATCH", `/v1/people/${person.id}`, { isAlive: false, placeId: null });
    return write;
  },
  "restore a deleted person": async (system, number) => {
    const write = await personWrite(({ join }, id) => {
      return (headers) => join.send("POST", `/v1/people/${id}/restore`, { version: 1 }, headers);
    })(system, number);
    const [person] = JSON.parse(await write.observe())[0];
    await system.join.request("DELETE", `/v1/people/${person.id}`);
    return write;
  },
  "restore an earlier version of a place": async (system, number) => {
    const write = await placeWrite(true, ({ join }, id) => {
      return (headers) => join.send("POST", `/v1/places/${id}/restore`, { version: 1 }, headers);
    })(system, number);
    const place = JSON.parse(await write.observe())[1][0];
    await system.join.send("PATCH", `/v1/places/${place.id}`, { name: `Renamed ${number}` });
    return write;
  },
  repair: async (system, number) => {
    const from = await createPlace(system, `From ${number}`);
    const to = await createPlace(system, `To ${number}`);
    const mover = await createPerson(system, `Somebody ${number}`, from);
    const resident = await createPerson(system, `Other ${number}`, to);
    // The traces of a crash: a tombstone and two pending writes.
    const tombstone = "INSERT INTO tombstone (place_id, phase, reassign_to, since)";
    await system.db.places.exec(`${tombstone} VALUES (${from}, 'deleting', ${to}, 0);`);
    const pending = "INSERT INTO pending_write (token, place_id, person_id, since)";
    await system.db.people.exec(
      `${pending} VALUES ('${number} a', ${to}, ${mover}, 0), ('${number} b', ${to}, ${resident}, 0);`,
    );
    const path = "/v1/integrity/repair?olderThan=0";
    return {
      send: (headers) => system.join.request("POST", path, headers),
      observe: observer(system, number),
    };
  },
};
