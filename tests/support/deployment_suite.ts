// Tests three separate services that reach each other over the network. The suite runs against
// processes (containers.test.ts) and against containers (`make container-test`).
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertDocumentedCommands, documentedSettings } from "./doc_commands.ts";
import { joinPeoplePerPlace, type Person, type Place, tag } from "./fixtures.ts";
import { type Name, SERVICE_SECRET, type WorkerClient } from "./harness.ts";
import { pathTraversals, sendRaw, unusualPaths } from "./raw_request.ts";
import { bearer, tokenHash } from "./tokens.ts";
import { waitUntil } from "./wait_until.ts";

/** Three services, and their data, which survives a restart. */
export type Deployment = {
  workers: Record<Name, WorkerClient>;
  /** Starts a service, without waiting until it is ready. */
  start(name: Name, settings: Record<string, string>): Promise<void>;
  /** Stops a service gracefully, and returns its exit code. */
  stop(name: Name): Promise<number | null>;
  /** Kills a service in the middle of its work. */
  kill(name: Name): Promise<void>;
  /** Removes everything, including the data. */
  remove(): Promise<void>;
};

const names: Name[] = ["places", "people", "join"];
const openSettings = { ...documentedSettings, SERVICE_SECRET, SEED: "yes" };
const token = "a-token-with-the-scope-write";
const closedSettings = { TOKENS: `write:anna:${tokenHash(token)}`, SERVICE_SECRET };

/** The tests run in order, and each uses the data that the previous ones wrote. */
export function deploymentSuite(title: string, deploy: () => Promise<Deployment>): void {
  suite(title, () => {
    let deployment: Deployment;
    const worker = (name: Name) => deployment.workers[name];
    const start = async (started: Name[], settings: Record<string, string>) => {
      await Promise.all(started.map((name) => deployment.start(name, settings)));
      for (const name of started) {
        await waitUntil(`${name} is alive`, async () => {
          return (await worker(name).get("/healthz")).status === 200;
        });
      }
    };
    const stop = async () => {
      const exitCodes = await Promise.all(names.map((name) => deployment.stop(name)));
      assert.deepEqual(exitCodes, [0, 0, 0]);
    };

    before(async () => {
      deployment = await deploy();
      await start(names, openSettings);
    });
    after(() => deployment.remove());

    test("the_documented_commands_print_the_output_shown", async () => {
      await assertDocumentedCommands("docs/curl.md", worker("join").url);
    });

    test("all_services_are_ready_and_the_gateway_joins_the_two_lists", async () => {
      for (const name of names) assert.equal((await worker(name).get("/readyz")).status, 200, name);
      const places = await worker("join").records<Place>("/v1/places");
      const people = await worker("join").records<Person>("/v1/people");
      assert.ok(places.length >= 26 && people.length >= 60);
      const joined = await worker("join").records("/v1/people-per-place?limit=7");
      assert.deepEqual(joined, joinPeoplePerPlace(places, people));
    });

    test("the_gateway_serves_pages_and_static_files", async () => {
      const [page, style, document] = await Promise.all([
        worker("join").get("/", { accept: "text/html" }),
        worker("join").get("/site.css"),
        worker("join").get("/openapi.json"),
      ]);
      assert.match(page.text, /Veranolandia/);
      assert.equal(style.headers["content-type"], "text/css; charset=utf-8");
      assert.match(document.json.openapi, /^3\.1/);
    });

    test("conditional_requests_get_304_and_a_stale_write_gets_412", async () => {
      for (const path of ["/v1/people-per-place/1", "/v1/people-per-place", "/v1/people/1"]) {
        const { etag } = await worker("join").get(path);
        const second = await worker("join").get(path, { "if-none-match": etag });
        assert.deepEqual([second.status, second.text], [304, ""], path);
      }
      const staleTag = { "if-match": tag(9) };
      const stale = await worker("join").send("PUT", "/v1/places/2", { name: "X" }, staleTag);
      assert.equal(stale.status, 412);
    });

    test("a_write_that_the_other_backend_forbids_gets_409", async () => {
      const person = { name: "Nadie", isAlive: true, placeId: 4040 };
      const { status, json } = await worker("people").send("POST", "/v1/people", person);
      assert.deepEqual([status, json.rule], [409, 2]);
      const deletion = await worker("places").request("DELETE", "/v1/places/3");
      assert.equal(deletion.status, 409);
    });

    test("the_data_survives_a_restart", async () => {
      const paths = ["/v1/places?limit=1000", "/v1/people?limit=1000", "/v1/changes?limit=1000"];
      await worker("join").send("POST", "/v1/places", { name: "Perdurable" });
      const read = () =>
        Promise.all(paths.map(async (path) => (await worker("join").get(path)).text));
      const before = await read();
      await stop();
      await start(names, openSettings);
      assert.deepEqual(await read(), before);
    });

    test("the_gateway_serves_snapshots_while_a_backend_is_dead_and_recovers", async () => {
      const fresh = await worker("join").get("/v1/people-per-place/1");
      // The snapshot is written after the response.
      await sleep(1500);
      await deployment.kill("people");
      const stale = await worker("join").get("/v1/people-per-place/1");
      assert.deepEqual([stale.status, stale.text], [200, fresh.text]);
      assert.match(stale.headers["cache-status"] ?? "", /^join; fwd=stale; .*detail=people-failed/);
      const partial = await worker("join").get("/v1/people-per-place/2");
      assert.deepEqual([partial.status, partial.json.people], [200, null]);
      assert.equal((await worker("join").get("/v1/places/1")).status, 200);
      assert.equal((await worker("join").get("/v1/people/1")).status, 502);
      await start(["people"], openSettings);
      await waitUntil("the gateway returns complete responses again", async () => {
        const { headers, json } = await worker("join").get("/v1/people-per-place/2");
        return !headers["cache-status"] && Array.isArray(json.people);
      });
    });

    test("a_write_without_a_token_gets_401_on_a_closed_deployment", async () => {
      await stop();
      await start(names, closedSettings);
      const person = { name: "N", isAlive: true, placeId: 2 };
      const write = (name: Name, headers = {}) =>
        worker(name).send("POST", "/v1/people", person, headers);
      assert.equal((await write("join")).status, 401);
      assert.equal((await write("people")).status, 401);
      const { status, json } = await write("join", bearer(token));
      assert.equal(status, 201);
      const { json: place } = await worker("join").get("/v1/people-per-place/2");
      assert.ok(place.people.some(({ id }: Person) => id === json.id));
    });

    test("no_path_spelling_reaches_an_internal_route", async () => {
      const reassign = "/internal/residents/1/reassign?to=999999";
      const requests: [string, Name, string, Record<string, string>][] = [
        ["GET", "people", "/internal/integrity", {}],
        ["GET", "places", "/internal/statuses?ids=1", {}],
        ["POST", "people", "/internal/repair", bearer(token)],
        ["POST", "places", "/internal/repair", bearer(token)],
        ["POST", "people", reassign, bearer(token)],
      ];
      const before = await worker("join").records("/v1/people");
      for (const [method, service, path, headers] of requests) {
        for (const target of [...pathTraversals(service, path), ...unusualPaths(service, path)]) {
          const { status, body } = await sendRaw(worker("join").url, method, target, headers);
          // The proxy itself rejects a target that is no URI.
          assert.ok([400, 404].includes(status), `${method} ${target}: ${status} ${body}`);
        }
      }
      assert.deepEqual(await worker("join").records("/v1/people"), before);
    });
  });
}
