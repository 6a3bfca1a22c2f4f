// What the three services must do wherever they run as three of their own, each reached over the
// network: as processes (containers.test.ts), and as containers (`make container-test`).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertDocCommands } from "./doc_commands.ts";
import { type Person, type Place, perPlace } from "./fixtures.ts";
import { type Name, SERVICE_SECRET, type Worker } from "./harness.ts";
import { detours, oddities, sendRaw } from "./raw_request.ts";

/** The three services, and the data that outlives them. */
export type Deployment = {
  workers: Record<Name, Worker>;
  /** Starts one; it need not answer yet. */
  start(name: Name, settings: Record<string, string>): Promise<void>;
  /** Asks one to stop, and tells how it ended. */
  stop(name: Name): Promise<number | null>;
  /** Ends one in the middle of whatever it does. */
  kill(name: Name): Promise<void>;
  /** Takes all away, the data included. */
  forget(): Promise<void>;
};

const names: Name[] = ["places", "people", "join"];
const open = { WRITES: "open", SEED: "yes" };
const token = "a-token-of-those-who-write";
const hash = createHash("sha256").update(token).digest("hex");
const closed = { TOKENS: `write:${hash}`, SERVICE_SECRET };

/** Waits for something to come true. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await sleep(100);
  }
  assert.fail(`not in time: ${what}`);
}

/** The tests, in order: each finds what the one before has left. */
export function deploymentSuite(title: string, make: () => Promise<Deployment>): void {
  suite(title, () => {
    let three: Deployment;
    const ask = (name: Name) => three.workers[name];
    const start = async (some: Name[], settings: Record<string, string>) => {
      await Promise.all(some.map((name) => three.start(name, settings)));
      for (const name of some) {
        await until(
          `${name} answers`,
          async () => (await ask(name).get("/healthz")).status === 200,
        );
      }
    };
    const stop = async () => {
      assert.deepEqual(await Promise.all(names.map((name) => three.stop(name))), [0, 0, 0]);
    };
    const everything = async <T>(path: string): Promise<T[]> =>
      (await ask("join").pages(path)).flatMap((page) => page.json);

    before(async () => {
      three = await make();
      await start(names, open);
    });
    after(() => three.forget());

    test("answers_what_the_documents_show", async () => {
      await assertDocCommands("docs/curl.md", ask("join").url);
    });

    test("is_ready_and_joins_what_the_two_registers_have", async () => {
      for (const name of names) assert.equal((await ask(name).get("/readyz")).status, 200, name);
      const places = await everything<Place>("/v1/places");
      const people = await everything<Person>("/v1/people");
      assert.ok(places.length >= 26 && people.length >= 60);
      assert.deepEqual(await everything("/v1/people-per-place?limit=7"), perPlace(places, people));
    });

    test("serves_pages_and_their_files", async () => {
      const [page, style, docs] = await Promise.all([
        ask("join").get("/", { accept: "text/html" }),
        ask("join").get("/site.css"),
        ask("join").get("/openapi.json"),
      ]);
      assert.match(page.text, /Veranolandia/);
      assert.equal(style.headers["content-type"], "text/css; charset=utf-8");
      assert.match(docs.json.openapi, /^3\.1/);
    });

    test("knows_the_versions_that_a_reader_has", async () => {
      for (const path of ["/v1/people-per-place/1", "/v1/people-per-place", "/v1/people/1"]) {
        const { etag } = await ask("join").get(path);
        const again = await ask("join").get(path, { "if-none-match": etag });
        assert.deepEqual([again.status, again.text], [304, ""], path);
      }
      const stale = await ask("join").send(
        "PUT",
        "/v1/places/2",
        { name: "X" },
        { "if-match": '"9"' },
      );
      assert.equal(stale.status, 412);
    });

    test("asks_the_other_register_before_it_writes", async () => {
      const nowhere = { name: "Nadie", isAlive: true, placeId: 4040 };
      const { status, json } = await ask("people").send("POST", "/v1/people", nowhere);
      assert.deepEqual([status, json.rule], [409, 2]);
      const { status: refused } = await ask("places").ask("DELETE", "/v1/places/3");
      assert.equal(refused, 409);
    });

    test("has_its_data_when_it_comes_back", async () => {
      const paths = ["/v1/places?limit=1000", "/v1/people?limit=1000", "/v1/changes?limit=1000"];
      await ask("join").send("POST", "/v1/places", { name: "Perdurable" });
      const read = () => Promise.all(paths.map(async (path) => (await ask("join").get(path)).text));
      const before = await read();
      await stop();
      await start(names, open);
      assert.deepEqual(await read(), before);
    });

    test("goes_on_without_a_register_that_dies", async () => {
      const kept = await ask("join").get("/v1/people-per-place/1");
      // It is written down behind the reader's back.
      await sleep(1500);
      await three.kill("people");
      const degraded = await ask("join").get("/v1/people-per-place/1");
      assert.deepEqual([degraded.status, degraded.text], [200, kept.text]);
      assert.match(
        degraded.headers["cache-status"] ?? "",
        /^join; fwd=stale; .*detail=people-failed/,
      );
      const half = await ask("join").get("/v1/people-per-place/2");
      assert.deepEqual([half.status, half.json.people], [200, null]);
      assert.equal((await ask("join").get("/v1/places/1")).status, 200);
      assert.equal((await ask("join").get("/v1/people/1")).status, 502);
      await start(["people"], open);
      await until("the join is whole again", async () => {
        const { headers, json } = await ask("join").get("/v1/people-per-place/2");
        return !headers["cache-status"] && Array.isArray(json.people);
      });
    });

    test("lets_only_those_write_who_have_a_token", async () => {
      await stop();
      await start(names, closed);
      const write = (name: Name, headers = {}) =>
        ask(name).send("POST", "/v1/people", { name: "N", isAlive: true, placeId: 2 }, headers);
      assert.equal((await write("join")).status, 401);
      assert.equal((await write("people")).status, 401);
      const { status, json } = await write("join", { authorization: `Bearer ${token}` });
      assert.equal(status, 201);
      const { json: place } = await ask("join").get("/v1/people-per-place/2");
      assert.ok(place.people.some(({ id }: Person) => id === json.id));
    });

    test("lets_no_spelling_of_a_path_reach_what_is_internal", async () => {
      const authorization = `Bearer ${token}`;
      const reassign = "/internal/residents/1/reassign?to=999999";
      const asked: [string, Name, string, Record<string, string>][] = [
        ["GET", "people", "/internal/integrity", {}],
        ["GET", "places", "/internal/statuses?ids=1", {}],
        ["POST", "people", "/internal/repair", { authorization }],
        ["POST", "places", "/internal/repair", { authorization }],
        ["POST", "people", reassign, { authorization }],
      ];
      const before = await everything("/v1/people");
      for (const [method, service, path, headers] of asked) {
        for (const target of [...detours(service, path), ...oddities(service, path)]) {
          const { status, body } = await sendRaw(ask("join").url, method, target, headers);
          assert.equal(status, 404, `${method} ${target}: ${body}`);
        }
      }
      assert.deepEqual(await everything("/v1/people"), before);
    });
  });
}
