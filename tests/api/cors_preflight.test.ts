// Tests CORS preflight requests: the methods and headers that another origin may use.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import {
  allowedHeaders,
  allowedOrigin,
  corsHeaders,
  fromOrigin,
  originList,
  REQUEST_HEADERS,
  requestMethod,
  sendFrom,
  startWithOrigins,
  varyOf,
} from "../support/cors_helpers.ts";

const [withList, withStar] = await Promise.all([
  startWithOrigins(originList),
  startWithOrigins("*"),
]);
after(() => Promise.all([withList, withStar].map((system) => system.dispose())));

suite("CORS preflight", () => {
  test("a_preflight_lists_the_methods_of_the_route", async () => {
    for (const [path, methods] of [
      ["/v1", "GET, HEAD, OPTIONS"],
      ["/v1/people-per-place", "GET, HEAD, OPTIONS"],
      ["/v1/integrity/repair", "POST, OPTIONS"],
      ["/v1/places", "GET, HEAD, POST, OPTIONS"],
      ["/people/", "GET, HEAD, POST, OPTIONS"],
      ["/v1/people/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"],
      ["/v1/people/import", "POST, OPTIONS"],
      ["/v1/people/export", "GET, HEAD, OPTIONS"],
    ] as const) {
      for (const [system, origin, allowed] of [
        [withList, allowedOrigin, allowedOrigin],
        [withStar, "null", "*"],
      ] as const) {
        const headers = { ...fromOrigin(origin), ...requestMethod("PATCH") };
        const response = await sendFrom(system.join, ["OPTIONS", path, 204], headers);
        assert.deepEqual([response.status, response.text], [204, ""], path);
        assert.equal(response.headers.allow, methods);
        const expected = {
          "access-control-allow-origin": allowed,
          "access-control-allow-methods": methods,
          "access-control-allow-headers": REQUEST_HEADERS,
          "access-control-max-age": "7200",
        };
        assert.deepEqual(corsHeaders(response), expected, path);
        assert.equal(varyOf(response).includes("origin"), system === withList);
      }
    }
  });

  test("a_preflight_of_an_unlisted_origin_is_a_plain_options_request", async () => {
    const headers = { ...fromOrigin("https://evil.example"), ...requestMethod("DELETE") };
    const response = await sendFrom(withList.join, ["OPTIONS", "/v1/people/1", 204], headers);
    assert.deepEqual(
      [response.status, corsHeaders(response), varyOf(response)],
      [204, {}, ["origin"]],
    );
    assert.ok(response.headers.allow?.includes("DELETE"));
  });

  test("a_preflight_of_an_unknown_route_gets_404_and_a_get_is_no_preflight", async () => {
    const headers = { ...fromOrigin(allowedOrigin), ...requestMethod("GET") };
    const missing = await sendFrom(withList.join, ["OPTIONS", "/v1/x", 404], headers);
    assert.deepEqual([missing.status, corsHeaders(missing)], [404, allowedHeaders(allowedOrigin)]);
    const get = await sendFrom(withList.join, ["GET", "/v1/people/1", 200], headers);
    assert.deepEqual([get.status, corsHeaders(get)], [200, allowedHeaders(allowedOrigin)]);
  });

  test("a_preflight_runs_no_query", async () => {
    await using counted = await startWithOrigins("*", { countCosts: true });
    await counted.takeRoundTrips();
    const headers = { ...fromOrigin(allowedOrigin), ...requestMethod("DELETE") };
    await sendFrom(counted.join, ["OPTIONS", "/v1/people/1", 204], headers);
    assert.deepEqual(await counted.takeRoundTrips(), { places: 0, people: 0, join: 0 });
  });
});
