// Each change has an author: the name of the token that made it.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { people as allPeople, places as allPlaces } from "../support/fixtures.ts";
import { type Options, SERVICE_SECRET, type System, start } from "../support/harness.ts";
import { sendForm } from "../support/page_helpers.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

// Without the greatest ids, so that new records get ids that JavaScript can read.
const places = allPlaces.filter(({ id }) => id < 1000);
const people = allPeople.filter(({ id, placeId }) => id < 1000 && (placeId ?? 0) < 1000);

const tokens = {
  anna: "the-token-of-anna",
  otto: "the-token-of-otto",
  rosa: "the-token-of-rosa",
  ops: "the-token-of-ops-1",
};
const TOKENS = [
  `write:anna:${tokenHash(tokens.anna)}`,
  `write:otto:${tokenHash(tokens.otto)}`,
  `read:rosa:${tokenHash(tokens.rosa)}`,
  `admin:ops:${tokenHash(tokens.ops)}`,
].join(", ");
const closed: Options = {
  places,
  people,
  gatewaySettings: { TOKENS },
  backendSettings: { TOKENS, SERVICE_SECRET },
};
const [anna, otto, ops] = [tokens.anna, tokens.otto, tokens.ops].map(bearer) as [
  ...Record<string, string>[],
] as [Record<string, string>, Record<string, string>, Record<string, string>];

type Change = {
  at: string;
  collection: string;
  kind: string;
  id: number;
  version: number;
  by: string | null;
  batch?: string;
};

/** The changes after those of the fixtures, as `people 7 created anna`. */
async function changesOf(system: System, table: "places" | "people"): Promise<Change[]> {
  const feed = await system.join.get(`/v1/${table}/changes?limit=1000`);
  return feed.json.slice((table === "places" ? places : people).length);
}

const short = ({ kind, id, by }: Change) => `${kind} ${id} ${by}`;

suite("the author of a change", () => {
  test("each_kind_of_write_of_a_person_is_logged_with_the_name_of_the_token", async () => {
    await using system = await start(closed);
    const { join } = system;
    const path = "/v1/people/1";
    const patch = { "content-type": "application/merge-patch+json" };
    const steps = [
      () => join.send("POST", "/v1/people", { name: "Nueva", isAlive: true, placeId: 3 }, anna),
      () => join.send("PUT", path, { name: "S", isAlive: true, placeId: 3 }, otto),
      // A rename without preconditions, which is one statement.
      () => join.send("PATCH", path, { name: "Sensei" }, { ...patch, ...anna }),
      () => join.send("PATCH", path, { isKing: true }, { ...patch, ...otto }),
      () => join.send("PATCH", "/v1/people/2?depose=true", { isKing: true }, { ...patch, ...anna }),
      () => join.request("DELETE", path, otto),
      () => join.request("POST", `${path}/restore`, anna),
      () => join.request("DELETE", `${path}?erase=true`, ops),
    ];
    for (const step of steps) {
      const { status, text } = await step();
      assert.ok(status < 300, text);
    }
    const changes = await changesOf(system, "people");
    const created = changes[0]?.id;
    assert.deepEqual(changes.map(short), [
      `created ${created} anna`,
      "updated 1 otto",
      "updated 1 anna",
      "updated 1 otto",
      "updated 1 anna",
      "updated 2 anna",
      "deleted 1 otto",
      "created 1 anna",
      "deleted 1 ops",
      "erased 1 ops",
    ]);
    assert.ok(changes.every((change) => !("batch" in change)));
    const history: Change[] = (await join.get(`${path}/history`)).json;
    assert.deepEqual(history, [
      ...(await join.get("/v1/people/changes?limit=1")).json,
      ...changes.filter(({ id }) => id === 1),
    ]);
    const merged: Change[] = (await join.get("/v1/changes?limit=1000")).json;
    const own = merged.filter(({ collection }) => collection === "people");
    assert.deepEqual(own.slice(people.length), changes);
  });

  test("each_kind_of_write_of_a_place_is_logged_with_the_name_of_the_token", async () => {
    await using system = await start(closed);
    const { join } = system;
    const steps = [
      () => join.send("POST", "/v1/places", { name: "Nueva" }, anna),
      () => join.send("PUT", "/v1/places/2", { name: "Otra" }, otto),
      () => join.send("PATCH", "/v1/places/2", { name: "Tercera" }, anna),
      () => join.send("POST", "/v1/places/2/restore", { version: 1 }, otto),
      () => join.request("DELETE", "/v1/places/9?reassignTo=1", otto),
    ];
    for (const step of steps) {
      const { status, text } = await step();
      assert.ok(status < 300, text);
    }
    const changes = await changesOf(system, "places");
    assert.deepEqual(changes.map(short).slice(1), [
      "updated 2 otto",
      "updated 2 anna",
      "updated 2 otto",
      "deleted 9 otto",
    ]);
    assert.equal(changes[0]?.by, "anna");
    // The residents moved, and the dead were detached.
    const moved = await changesOf(system, "people");
    const residents = people.filter(({ placeId }) => placeId === 9).map(({ id }) => id);
    assert.deepEqual(moved.map(short).sort(), residents.map((id) => `updated ${id} otto`).sort());
  });

  test("concurrent_renames_have_the_name_of_their_own_token", async () => {
    await using system = await start(closed);
    const ids = people.map(({ id }) => id).slice(0, 8);
    const rename = (id: number) =>
      system.join.send("PATCH", `/v1/people/${id}`, { name: `R${id}` }, id % 2 ? anna : otto);
    const renamed = await Promise.all(ids.map(rename));
    assert.ok(renamed.every(({ status }) => status === 200));
    for (const { id, by } of await changesOf(system, "people")) {
      assert.equal(by, id % 2 ? "anna" : "otto", String(id));
    }
  });

  test("a_write_at_the_backend_has_the_name_of_the_backends_own_token", async () => {
    await using system = await start(closed);
    await system.people.send("PATCH", "/v1/people/1", { name: "A" }, otto);
    await system.places.send("PATCH", "/v1/places/1", { name: "A" }, anna);
    assert.deepEqual((await changesOf(system, "people")).map(short), ["updated 1 otto"]);
    assert.deepEqual((await changesOf(system, "places")).map(short), ["updated 1 anna"]);
  });

  test("a_client_cannot_write_under_another_name", async () => {
    const forged = { "x-gateway-actor": "ops" };
    await using system = await start(closed);
    await using open = await start({ places, people });
    for (const [{ join, people: backend }, headers] of [
      [system, otto],
      [open, {}],
    ] as const) {
      for (const worker of [join, backend]) {
        for (const more of [forged, { ...forged, connection: "x-gateway-actor" }]) {
          const name = { name: `N${Math.random()}` };
          const sent = { "content-type": "application/json", ...headers, ...more };
          const { status } = await worker.request(
            "PATCH",
            "/v1/people/1",
            sent,
            JSON.stringify(name),
          );
          assert.equal(status, 200);
        }
      }
    }
    const authors = async (of: System) =>
      new Set((await changesOf(of, "people")).map(({ by }) => by));
    assert.deepEqual(await authors(system), new Set(["otto"]));
    assert.deepEqual(await authors(open), new Set([null]));
  });

  test("a_form_has_the_name_of_the_token_that_was_typed_into_it", async () => {
    await using system = await start(closed);
    const form = { name: "Por formulario", isAlive: "", token: tokens.otto };
    const cookie = `__Host-token=${tokens.rosa}`;
    const sent = await sendForm(system.join, "/ui/people/new", form, { cookie });
    assert.equal(sent.status, 303, sent.text);
    const [change] = await changesOf(system, "people");
    assert.equal(change?.by, "otto");
    const page = await system.join.get(sent.headers.location ?? "", { accept: "text/html" });
    assert.match(page.text, /added as “Por formulario”, dead by otto/);
  });

  test("all_changes_of_an_import_have_its_author_and_one_batch", async () => {
    await using system = await start(closed);
    const lines = Array.from({ length: 10_001 }, (_, n) => `{"name":"P${n}"}\n`).join("");
    const send = (table: string, body: string, headers: Record<string, string>) =>
      system.join.request(
        "POST",
        `/v1/${table}/import?mode=upsert`,
        { "content-type": "application/x-ndjson", ...headers },
        body,
      );
    const imported = await send("people", `${lines}{"id":2,"name":"Aiba"}`, anna);
    assert.equal(imported.status, 200, imported.text);
    const rows = await system.db.people.rows(
      `SELECT actor, batch, kind, count(*) AS n FROM person_change
       WHERE batch IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 3`,
    );
    assert.deepEqual(
      rows.map(({ actor, kind, n }) => [actor, kind, n]),
      [
        ["anna", "created", 10_001],
        ["anna", "updated", 1],
      ],
    );
    assert.equal(new Set(rows.map(({ batch }) => batch)).size, 1);
    const key = { "idempotency-key": "k" };
    await send("places", '{"name":"Una"}', { ...otto, ...key });
    await send("places", '{"name":"Dos"}', { ...otto, ...key });
    await send("places", '{"name":"Tres"}', otto);
    const changes = await changesOf(system, "places");
    assert.deepEqual(new Set(changes.map(({ by }) => by)), new Set(["otto"]));
    const [one, two, three] = changes.map(({ batch }) => batch);
    assert.match(one ?? "", /^[0-9a-f]{32}$/);
    assert.ok(one === two && one !== three);
    // A later change of an imported record does not belong to the batch.
    await system.join.send("PATCH", `/v1/places/${changes[0]?.id}`, { name: "Uno" }, anna);
    const last = (await changesOf(system, "places")).at(-1);
    assert.deepEqual([last?.by, last && "batch" in last], ["anna", false]);
  });

  test("all_changes_of_a_batch_have_its_author_and_one_batch", async () => {
    await using system = await start(closed);
    const send = (table: string, operations: object[]) =>
      system.join.send("POST", `/v1/${table}/batch`, operations, anna);
    const ofPeople = await send("people", [
      { op: "create", body: { name: "Uno" } },
      { op: "update", id: 2, body: { name: "Aiba" } },
      { op: "delete", id: 3 },
    ]);
    assert.equal(ofPeople.status, 200, ofPeople.text);
    const ofPlaces = await send("places", [
      { op: "create", body: { name: "Dos" } },
      { op: "update", id: 3, body: { name: "Tres" } },
      { op: "delete", id: 5 },
    ]);
    assert.equal(ofPlaces.status, 200, ofPlaces.text);
    for (const table of ["people", "places"] as const) {
      const changes = await changesOf(system, table);
      assert.deepEqual(
        changes.map(({ kind, by }) => [kind, by]),
        ["deleted", "updated", "created"].map((kind) => [kind, "anna"]),
      );
      const batches = new Set(changes.map(({ batch }) => batch));
      assert.equal(batches.size, 1);
      assert.match([...batches][0] ?? "", /^[0-9a-f]{32}$/);
    }
    // The places that an import creates have the author of the import.
    const path = "/v1/people/import?createPlaces=true";
    const headers = { "content-type": "text/csv", ...anna };
    await system.join.request("POST", path, headers, "name,isAlive,place\nx,true,Nueva\n");
    const created = (await changesOf(system, "places")).at(-1);
    assert.deepEqual([created?.kind, created?.by], ["created", "anna"]);
  });

  test("a_repair_finishes_a_deletion_under_the_name_of_its_author", async () => {
    await using system = await start({ ...closed, crashable: true });
    // The places service stops after it has added the tombstone.
    const crashing = { ...otto, "x-crash-after": "1" };
    const crashed = await system.places.request("DELETE", "/v1/places/9?reassignTo=1", crashing);
    assert.equal(crashed.status, 599);
    assert.deepEqual(await changesOf(system, "people"), []);
    const repair = "/v1/integrity/repair?olderThan=0";
    const repaired = await system.join.request("POST", repair, ops);
    assert.equal(repaired.json.deletions[0].end, "deleted", repaired.text);
    const all = [...(await changesOf(system, "people")), ...(await changesOf(system, "places"))];
    assert.ok(all.length >= 3);
    assert.deepEqual(new Set(all.map(({ by }) => by)), new Set(["otto"]));
  });
});

suite("open writes", () => {
  test("a_change_has_no_author_where_writes_are_open", async () => {
    await using system = await start({ places, people });
    const created = await system.join.send("POST", "/v1/people", { name: "Nueva" });
    assert.equal(created.status, 201);
    await system.join.request("DELETE", "/v1/places/9?reassignTo=1");
    for (const table of ["people", "places"] as const) {
      const changes = await changesOf(system, table);
      assert.ok(changes.length > 0);
      assert.ok(changes.every(({ by }) => by === null));
    }
  });
});

suite("a token without a name", () => {
  const withoutName = `write:anna:${tokenHash(tokens.anna)}, write:${tokenHash(tokens.otto)}`;

  test("a_token_without_a_name_makes_all_writes_fail_and_says_how_to_fix_it", async () => {
    await using system = await start({ ...closed, gatewaySettings: { TOKENS: withoutName } });
    for (const headers of [anna, otto, {}]) {
      const rejected = await system.join.send("POST", "/v1/places", { name: "X" }, headers);
      assert.deepEqual([rejected.status, rejected.json.type], [500, "/problems/misconfigured"]);
      assert.match(
        rejected.json.detail,
        /^Entry 2 of TOKENS has no name\. Write it as scope:name:hash/,
      );
      assert.ok(!rejected.text.includes(tokenHash(tokens.otto)));
    }
    assert.equal((await system.join.get("/v1/places")).status, 200);
  });
});
