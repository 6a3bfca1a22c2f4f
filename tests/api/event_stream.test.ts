// Tests live changes, which are sent as server-sent events.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSource } from "eventsource";
import { onlyInCompleteRuns as skip } from "../support/complete.ts";
import { people as allPeople, places as allPlaces } from "../support/fixtures.ts";
import { type ApiResponse, type System, start, type WorkerClient } from "../support/harness.ts";
import { waitUntil } from "../support/wait_until.ts";

const places = allPlaces.filter(({ id }) => id < 1000);
const people = allPeople.filter(({ id, placeId }) => id < 1000 && (placeId ?? 0) < 1000);
const accept = { accept: "text/event-stream" };

type Change = { collection: string; seq: number; kind: string; id: number };

/** Reads a stream as text, until it is closed. */
class Listener {
  text = "";
  ended = false;
  error: unknown;
  readonly #abort = new AbortController();
  readonly done: Promise<void>;

  constructor(worker: WorkerClient, path: string, headers: Record<string, string> = {}) {
    this.done = this.#read(`${worker.url.origin}${path}`, { ...accept, ...headers });
  }

  async #read(url: string, headers: Record<string, string>) {
    try {
      const response = await fetch(url, { headers, signal: this.#abort.signal });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        this.text += decoder.decode(chunk, { stream: true });
      }
    } catch (error) {
      // A test sees what is missing.
      this.error = error;
    } finally {
      this.ended = true;
    }
  }

  get changes(): Change[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
  }

  get lastId(): string {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? "";
  }

  close() {
    this.#abort.abort();
  }
}

const add = async ({ join }: System, name: string) => {
  const created = await join.send("POST", "/v1/people", { name });
  assert.equal(created.status, 201, created.text);
  return created.json.id as number;
};

// Most of the time of these tests is waiting, and each has a system of its own.
suite("a stream of changes", { concurrency: true }, () => {
  test("a_stream_has_the_earlier_changes_and_then_each_later_one", async () => {
    await using system = await start({ places, people });
    const { join, people: backend } = system;
    for (const [worker, path] of [
      [join, "/v1/changes"],
      [join, "/v1/people/changes"],
      [backend, "/v1/people/changes"],
    ] as const) {
      const listener = new Listener(worker, path);
      const list = await worker.get(`${path}?limit=1000`);
      await waitUntil("the earlier changes", () => listener.changes.length >= list.json.length);
      assert.deepEqual(listener.changes, list.json);
      const id = await add(system, "Viva");
      await waitUntil("the later change", () => listener.changes.at(-1)?.id === id);
      const { lastId } = listener;
      const rest = await worker.get(`${path}?since=${lastId}`);
      assert.deepEqual(rest.json, []);
      const resumed = new Listener(worker, `${path}?since=now`, { "last-event-id": lastId });
      const later = await add(system, "Luego");
      await waitUntil("the change after the id", () => resumed.changes.length > 0);
      assert.deepEqual(
        resumed.changes.map((change) => change.id),
        [later],
      );
      listener.close();
      resumed.close();
      await Promise.all([listener.done, resumed.done]);
    }
  });

  test("a_stream_has_only_the_changes_that_its_filter_selects", async () => {
    await using system = await start({ places, people });
    const { join } = system;
    const ofPlace = new Listener(join, "/v1/changes?since=now&placeId=3");
    const ofPerson = new Listener(join, "/v1/changes?since=now&personId=2");
    await waitUntil("both have joined", () => Boolean(ofPlace.lastId && ofPerson.lastId));
    await sleep(300);
    const patch = (id: number, body: object) => join.send("PATCH", `/v1/people/${id}`, body);
    await patch(2, { placeId: 1 });
    await patch(2, { name: "Fuera" });
    await patch(1, { name: "Otra" });
    await join.send("PATCH", "/v1/places/3", { name: "Verano" });
    await patch(1, { placeId: 3 });
    await waitUntil("all changes", () => ofPlace.changes.length >= 3);
    await sleep(1500);
    const ids = ({ changes }: Listener) =>
      changes.map(({ collection, id }) => `${collection} ${id}`);
    assert.deepEqual(ids(ofPlace).sort(), ["people 1", "people 2", "places 3"]);
    assert.deepEqual(ids(ofPerson), ["people 2", "people 2"]);
    ofPlace.close();
    ofPerson.close();
  });

  test("an_invalid_request_for_a_stream_is_rejected_before_it_begins", async () => {
    await using system = await start({ places, people });
    const ofPeople = (await system.join.get("/v1/people/changes")).headers.link;
    const cursorOfPeople = /since=(\w+)/.exec(ofPeople ?? "")?.[1] ?? "";
    assert.notEqual(cursorOfPeople, "");
    for (const [path, headers, status] of [
      ["/v1/changes", { "last-event-id": cursorOfPeople }, 400],
      ["/v1/changes?order=desc", {}, 400],
      ["/v1/changes?since=zz", {}, 400],
      ["/v1/changes", { "last-event-id": "zz" }, 400],
      ["/v1/people/changes", { "last-event-id": "693433" }, 400],
      ["/v1/changes?placeId=x", {}, 400],
    ] as const) {
      const response = await system.join.get(path, { ...accept, ...headers });
      assert.equal(response.status, status, path);
      if ("last-event-id" in headers) assert.match(response.json.detail, /the `id` of an event/);
    }
    const head = await system.join.request("HEAD", "/v1/changes", accept);
    assert.deepEqual([head.status, head.text], [200, ""]);
    const both = { accept: "application/json;q=0.5, text/event-stream;q=0.4" };
    const list: ApiResponse = await system.join.get("/v1/changes", both);
    assert.equal(list.headers["content-type"], "application/json");
  });

  test("a_stream_ends_with_retry_before_the_calls_of_its_plan_and_another_listener_polls", async () => {
    await using system = await start({ places, people, plan: "free" });
    const first = new Listener(system.join, "/v1/changes?since=now");
    await waitUntil("the first has joined", () => first.lastId !== "");
    const second = new Listener(system.join, "/v1/changes?since=now");
    await waitUntil("the first stream ends", () => first.ended, 60_000);
    assert.match(first.text, /retry: 1000\n\n$/);
    // A stream that lasts longer than 15 seconds without a change has a comment.
    assert.match(first.text, /^:\n/m);
    assert.ok(!second.ended);
    const { join } = await system.takeCalls();
    assert.ok(join.subrequests <= 40, JSON.stringify(join));
    const id = await add(system, "Después");
    await waitUntil("the other listener gets a change", () => second.changes.length > 0);
    assert.equal(second.changes[0]?.id, id);
    second.close();
  });

  test("500_listeners_of_an_isolate_poll_once_per_second", { skip }, async () => {
    await using system = await start({ places, people, countCosts: true });
    const listeners = Array.from({ length: 500 }, () => {
      return new Listener(system.join, "/v1/changes?since=now");
    });
    await waitUntil("all have joined", () => listeners.every(({ lastId }) => lastId), 60_000);
    await sleep(3_000);
    await system.takeRoundTrips();
    const began = Date.now();
    await sleep(10_000);
    const polls = await system.takeRoundTrips();
    const seconds = (Date.now() - began) / 1000;
    assert.ok(polls.people > 0 && polls.people <= seconds + 1, `${polls.people} in ${seconds} s`);
    assert.ok(polls.places <= seconds + 1, `${polls.places} in ${seconds} s`);
    const id = await add(system, "Para todos");
    const hasIt = (listener: Listener) => listener.changes.some((change) => change.id === id);
    await waitUntil("all get the change", () => listeners.every(hasIt), 20_000);
    assert.ok(listeners.every(({ changes }) => changes.length === 1));
    for (const listener of listeners) listener.close();
  });

  test("a_listener_over_the_limit_gets_a_429_until_another_one_ends", { skip }, async () => {
    await using system = await start({ places, people });
    const { join } = system;
    const listeners: Listener[] = [];
    const admit = async (count: number) => {
      const more = Array.from({ length: count }, () => new Listener(join, "/v1/changes?since=now"));
      listeners.push(...more);
      await waitUntil("all have joined", () => more.every(({ lastId }) => lastId), 60_000);
    };
    for (let n = 0; n < 10; n += 1) await admit(100);
    const over = await join.get("/v1/changes?since=now", accept);
    assert.deepEqual([over.status, over.json.type], [429, "/problems/too-many-requests"]);
    assert.deepEqual([over.json.limit, over.headers["retry-after"]], [1000, "5"]);
    assert.match(over.json.detail, /Connect again after `Retry-After` seconds, or read the list/);
    assert.equal((await join.get("/v1/changes?since=now")).status, 200);
    const [first] = listeners;
    first?.close();
    await first?.done;
    await waitUntil(
      "there is room again",
      async () => {
        const response = await fetch(new URL("/v1/changes?since=now", join.url), {
          headers: accept,
        });
        await response.body?.cancel();
        return response.status === 200;
      },
      60_000,
    );
    const id = await add(system, "Para mil");
    const others = listeners.slice(1);
    const hasIt = (listener: Listener) => listener.changes.some((change) => change.id === id);
    await waitUntil("all others get the change", () => others.every(hasIt), 30_000);
    for (const listener of others) listener.close();
  });

  test("the_listeners_of_one_client_leave_room_for_others", async () => {
    await using system = await start({ places, people });
    const { join } = system;
    const [path, from] = [
      "/v1/changes?since=now",
      (address: string) => ({ "cf-connecting-ip": address }),
    ];
    const greedy = Array.from({ length: 100 }, () => new Listener(join, path, from("192.0.2.1")));
    await waitUntil("all have joined", () => greedy.every(({ lastId }) => lastId), 60_000);
    const over = await join.get(path, { ...accept, ...from("192.0.2.1") });
    assert.deepEqual([over.status, over.json.limit], [429, 100]);
    assert.match(over.json.detail, /^Your 100 connections are following the changes here\./);
    const other = new Listener(join, path, from("192.0.2.2"));
    await waitUntil("another client has joined", () => other.lastId !== "", 10_000);
    for (const listener of [...greedy, other]) listener.close();
  });

  test("an_event_source_loses_and_repeats_nothing_across_restarts_of_the_workers", async () => {
    const persist = mkdtempSync(joinPath(tmpdir(), "stream-"));
    const received: string[] = [];
    let system = await start({ places, people, persist });
    // The client keeps its address, and a relay leads to the present gateway.
    const { createServer, request } = await import("node:http");
    const relay = createServer((incoming, outgoing) => {
      const { url, headers } = incoming;
      const target = new URL(url ?? "", system.join.url);
      const forwarded = request(
        target,
        { headers: { ...headers, host: target.host } },
        (response) => {
          outgoing.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(outgoing);
          response.on("close", () => outgoing.destroy());
        },
      );
      forwarded.on("error", () => outgoing.destroy());
      outgoing.on("close", () => forwarded.destroy());
      forwarded.end();
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const { port } = relay.address() as { port: number };
    const source = new EventSource(`http://127.0.0.1:${port}/v1/changes`);
    source.onmessage = ({ data }) => {
      const { collection, seq } = JSON.parse(data);
      received.push(`${collection} ${seq}`);
    };
    try {
      for (let round = 0; round < 3; round += 1) {
        for (let n = 0; n < 5; n += 1) await add(system, `R${round}.${n}`);
        await sleep(700);
        await system.dispose();
        system = await start({ persist });
        await add(system, `S${round}`);
      }
      const logged: string[] = [];
      for (const name of ["places", "people"] as const) {
        const table = name === "places" ? "place_change" : "person_change";
        const rows = await system.db[name].rows(`SELECT seq FROM ${table} ORDER BY seq`);
        logged.push(...rows.map(({ seq }) => `${name} ${seq}`));
      }
      await waitUntil("the client has all changes", () => received.length >= logged.length, 40_000);
      await sleep(1_500);
      assert.deepEqual([...received].sort(), logged.sort());
    } finally {
      source.close();
      relay.closeAllConnections();
      relay.close();
      await system.dispose();
      rmSync(persist, { recursive: true, force: true });
    }
  });
});
