// Tests stale-if-error. While a backend is down, slow or sends malformed responses, the gateway
// sends the last good response with its age, or a partial one. Also tests retries and the circuit
// breaker.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { joinPeoplePerPlace, places } from "../support/fixtures.ts";
import type { ApiResponse, System } from "../support/harness.ts";
import {
  errorFaults,
  malformedFaults,
  malformedGroupFaults,
  timeoutFaults,
} from "../support/service_faults.ts";
import {
  cacheStatus,
  countSnapshots,
  gatewaySettings,
  list,
  reads,
  single,
  startWithFaults,
  strict,
} from "../support/stale_helpers.ts";
import { waitUntil } from "../support/wait_until.ts";

const baseFaults = { ...errorFaults, ...malformedFaults, ...timeoutFaults };
/** A 404 from places is a valid response to the request for a single place. */
const isValidResponse = (service: string, fault: string, path: string) =>
  service === "places" && fault === "responds_404" && path === single;

for (const service of ["places", "people"] as const) {
  const faults = Object.keys(
    service === "people" ? { ...baseFaults, ...malformedGroupFaults } : baseFaults,
  );
  const failedDetail = new RegExp(`^${service}-(failed|timed-out)$`);
  suite(`stale-if-error: ${service} fails`, () => {
    /** Sends one request while the service fails, and one after it has recovered, so that the
     * circuit breaker does not open. */
    const requestDuringFault = async (
      system: System,
      fault: string,
      path: string,
      headers: Record<string, string> = {},
      method = "GET",
    ): Promise<ApiResponse> => {
      await system.setFault(service, fault);
      const response = await system.join.request(method, path, headers);
      await system.setFault(service);
      const recovered = await system.join.get(path);
      assert.equal(recovered.headers["cache-status"], undefined, `${path} after ${fault}`);
      return response;
    };

    test("a_stale_response_is_served_with_its_age_while_a_service_fails", async () => {
      await using system = await startWithFaults();
      for (const path of reads) {
        const fresh = await system.join.get(path);
        const { etag } = fresh;
        for (const fault of faults) {
          if (isValidResponse(service, fault, path)) continue;
          const message = `${path} ${fault}`;
          const response = await requestDuringFault(system, fault, path);
          assert.deepEqual(
            [response.status, response.text, response.etag],
            [200, fresh.text, etag],
            message,
          );
          const {
            age,
            "cache-status": _,
            "cache-control": control,
            ...otherHeaders
          } = response.headers;
          assert.deepEqual(otherHeaders, fresh.headers, message);
          assert.ok(Number(age) >= 0 && Number(age) < 30, `${message}: ${age}`);
          assert.equal(control, "no-cache");
          const { cache, fwd, hit, ttl, detail } = cacheStatus(response);
          assert.deepEqual([cache, fwd, hit], ["join", "stale", undefined], message);
          assert.equal(Number(ttl), 0 - Number(age));
          assert.match(detail ?? "", failedDetail);
          assert.match(
            response.timing,
            new RegExp(`${service};dur=\\d+;desc="(failed|timed out)"`),
          );
          assert.match(response.timing, /snapshot;dur=\d+;desc="kept"/);

          if (fault in timeoutFaults) continue;
          const conditional = await requestDuringFault(system, fault, path, {
            "if-none-match": etag,
          });
          assert.deepEqual(
            [conditional.status, conditional.etag, conditional.text],
            [304, etag, ""],
            message,
          );
          assert.match(cacheStatus(conditional).detail ?? "", failedDetail);
          const head = await requestDuringFault(system, fault, path, {}, "HEAD");
          assert.deepEqual([head.status, head.text, head.etag], [200, "", etag], message);
          assert.match(cacheStatus(head).detail ?? "", failedDetail);
        }
      }
    });

    test("a_strict_request_gets_a_problem_that_names_the_failed_service", async () => {
      await using system = await startWithFaults();
      for (const path of reads) {
        await system.join.get(path);
        for (const fault of faults) {
          if (isValidResponse(service, fault, path) || (fault in timeoutFaults && path !== list))
            continue;
          const { status, headers, json } = await requestDuringFault(system, fault, path, strict);
          assert.equal(status, fault in timeoutFaults ? 504 : 502, `${path} ${fault}`);
          assert.equal(headers["preference-applied"], "handling=strict");
          assert.equal(headers["content-type"], "application/problem+json");
          assert.deepEqual([json.service, headers.age], [service, undefined]);
        }
        const recovered = await system.join.get(path, strict);
        assert.deepEqual(
          [recovered.status, recovered.headers["preference-applied"]],
          [200, undefined],
        );
      }
    });

    test("a_partial_response_is_served_without_a_snapshot", async () => {
      await using system = await startWithFaults({
        gatewaySettings: { ...gatewaySettings, SNAPSHOTS: "off" },
      });
      const withoutPeople = joinPeoplePerPlace(places, []).map((place) => ({
        ...place,
        people: null,
      }));
      for (const [n, fault] of faults.entries()) {
        // Each address is requested for the first time, so that no snapshot exists.
        const [limit, peopleLimit] = [`limit=${n + 20}`, `peopleLimit=${n + 20}`];
        const expectations: [string, unknown][] = [
          [`/v1/people-per-place?${peopleLimit}`, withoutPeople],
          [`/v1/people-per-place?limit=3&${peopleLimit}`, withoutPeople.slice(0, 3)],
          [`${single}?${peopleLimit}`, withoutPeople[2]],
          [`/v1/statistics/places?${limit}`, undefined],
        ];
        for (const [path, expected] of expectations) {
          if (path.startsWith(single) && isValidResponse(service, fault, single)) continue;
          if (expected === undefined && fault in malformedGroupFaults) continue;
          const message = `${path} ${fault}`;
          const response = await requestDuringFault(system, fault, path);
          if (service === "places" || expected === undefined) {
            assert.equal(
              response.status,
              fault in timeoutFaults ? 504 : 502,
              `${message}: ${response.text}`,
            );
            assert.equal(response.json.service, service);
            continue;
          }
          assert.deepEqual([response.status, response.etag], [200, ""], message);
          assert.deepEqual(response.json, expected, message);
          assert.equal(response.headers["cache-control"], "no-store");
          const { cache, fwd, detail } = cacheStatus(response);
          assert.deepEqual([cache, fwd], ["join", "miss"], message);
          assert.match(detail ?? "", failedDetail);
        }
      }
      assert.equal(await countSnapshots(system), 0);
    });
  });
}

test("a_partial_response_has_its_media_type_link_and_count_and_is_not_stored", async () => {
  await using system = await startWithFaults();
  await system.setFault("people", "throws");
  const partial = await system.join.get(list, { accept: "application/x-ndjson" });
  assert.equal(partial.headers["content-type"], "application/x-ndjson");
  assert.equal(partial.text.split("\n").length, 4);
  assert.match(partial.text, /"name":"Descaro del Rey","people":null}\n/);
  assert.equal(partial.headers["x-total-count"], "7");
  const next = /^<\/v1\/people-per-place\?limit=3&after=[0-9a-f]+>; rel="next"$/;
  assert.match(partial.headers.link ?? "", next);
  const problem = await system.join.get(list, strict);
  assert.deepEqual([problem.status, problem.json.service], [502, "people"]);
  assert.equal(
    (await system.join.get("/v1/people-per-place/4")).status,
    404,
    "places still decides which places exist",
  );
  assert.equal(await countSnapshots(system), 0);
});

test("a_read_ends_within_two_seconds_while_both_backends_hang", async () => {
  await using system = await startWithFaults();
  await system.join.get(single);
  for (const service of ["places", "people"] as const)
    await system.setFault(service, "never_responds");
  const began = performance.now();
  const stale = await system.join.get(single);
  assert.deepEqual([stale.status, cacheStatus(stale).fwd], [200, "stale"]);
  const problem = await system.join.get(list);
  assert.deepEqual([problem.status, problem.json.type], [504, "/problems/service-timed-out"]);
  // The deadline of 250 ms applies to the revalidation and to the upstream calls.
  assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`);
});

test("a_read_that_fails_at_once_is_retried_and_succeeds", async () => {
  await using system = await startWithFaults({
    gatewaySettings: { ...gatewaySettings, SNAPSHOTS: "off" },
  });
  for (const service of ["places", "people"] as const) {
    await system.setFault(service, "fails_every_other_time");
    for (const path of [...reads, `/v1/${service}/1`, `/v1/${service}?limit=2`]) {
      await system.setFault(service, "fails_every_other_time");
      const { status, headers } = await system.join.get(path);
      assert.deepEqual([status, headers["cache-status"]], [200, undefined], path);
    }
    await system.setFault(service);
  }
});

test("a_failed_write_is_not_retried_and_its_outcome_is_unknown", async () => {
  await using system = await startWithFaults();
  const person = { name: "New", isAlive: true, placeId: 1 };
  const writes: [string, string, object?][] = [
    ["POST", "/v1/people", person],
    ["PUT", "/v1/people/77", person],
    ["PATCH", "/v1/people/1", { name: "Other" }],
    ["DELETE", "/v1/people/1"],
    ["POST", "/v1/people/import", [person]],
  ];
  for (const [fault, status] of [
    ["throws", 502],
    ["responds_503", 502],
    ["never_responds", 504],
  ]) {
    for (const [method, path, body] of writes) {
      if (fault === "never_responds" && path.endsWith("import")) continue;
      await system.setFault("people", String(fault));
      const response = await system.join.send(method, path, body);
      assert.equal(response.status, status, `${method} ${path} ${fault}`);
      assert.deepEqual([response.json.service, response.json.outcome], ["people", "unknown"]);
      assert.equal(await system.setFault("people"), 1, `${method} ${path} ${fault}`);
    }
  }
  const rows = await system.db.people.rows("SELECT name FROM person WHERE id = 1");
  assert.deepEqual(rows, [{ name: "Sensei Lamister" }]);
});

test("an_open_circuit_breaker_skips_calls_and_closes_after_recovery", async () => {
  await using system = await startWithFaults();
  const fresh = await system.join.get(single);
  await system.setFault("people", "throws");
  await waitUntil("the circuit breaker opens", async () => {
    return cacheStatus(await system.join.get(single)).hit === "?1";
  });
  assert.ok((await system.setFault("people", "throws")) >= 5);
  const responses = await Promise.all(Array.from({ length: 50 }, () => system.join.get(single)));
  for (const response of responses) {
    assert.deepEqual([response.status, response.text], [200, fresh.text]);
    const { hit, fwd, detail } = cacheStatus(response);
    assert.deepEqual([hit, fwd, detail], ["?1", undefined, "people-failed"]);
    assert.match(response.timing, /people;dur=\d+;desc="not asked"/);
  }
  const problem = await system.join.get(single, strict);
  assert.deepEqual([problem.status, problem.json.service], [502, "people"]);
  assert.equal(
    (await system.join.get("/v1/people/1")).status,
    502,
    "forwarded requests are not sent either",
  );
  assert.equal((await system.join.get("/v1/places/1")).status, 200, "the other service is called");
  // A write is always sent, because it has no fallback.
  assert.equal((await system.join.send("DELETE", "/v1/people/1", {})).json.outcome, "unknown");
  assert.ok((await system.setFault("people")) <= 2, "one write, and at most one probe");
  await waitUntil("the circuit breaker closes", async () => {
    return !(await system.join.get(single)).headers["cache-status"];
  });
  assert.equal((await system.join.send("PATCH", "/v1/people/2", { name: "Back" })).status, 200);
  assert.match((await system.join.get(single)).text, /"Back"/);
});
