// Tests authorization at the backends: public reads, internal routes, the secret of the workers,
// and requests that the gateway forwards.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Options, SERVICE_SECRET, start, type WorkerClient } from "../support/harness.ts";
import { sendRaw } from "../support/raw_request.ts";
import { adminToken, bearer, readToken, TOKENS, tokenHash, writeToken } from "../support/tokens.ts";

const serviceSecret = { "x-service-secret": SERVICE_SECRET };
/** The gateway sets this header on each request that it forwards. */
const FORWARDED_HEADER = "x-gateway-forwarded";
const CALLER_HEADER = "x-gateway-caller";
const ACTOR_HEADER = "x-gateway-actor";
const VERSION_HEADER = "x-protocol-version";
const newPlace = { name: "Nueva" };

suite("access to the backends", () => {
  const internalRoutes: Record<string, [string, string][]> = {
    places: [
      ["GET", "/internal/statuses?ids=1"],
      ["GET", "/internal/changes"],
      ["GET", "/internal/recent-changes"],
      ["GET", "/internal/counter"],
      ["GET", "/internal/integrity"],
      ["POST", "/internal/repair?dryRun=true"],
    ],
    people: [
      ["POST", "/internal/residents/999/detach-dead"],
      ["GET", "/internal/changes"],
      ["GET", "/internal/recent-changes"],
      ["GET", "/internal/counter"],
      ["GET", "/internal/people-lines"],
      ["GET", "/internal/population-changes?placeId=1"],
      ["GET", "/internal/integrity"],
      ["POST", "/internal/repair?dryRun=true"],
    ],
  };
  /** The change sequence is returned in headers, without a body. */
  const successStatus = (route: string) => (route === "/internal/counter" ? 204 : 200);
  const backends = (system: { places: WorkerClient; people: WorkerClient }) =>
    [
      ["places", system.places],
      ["people", system.people],
    ] as const;

  test("a_backend_without_settings_allows_only_public_reads", async () => {
    await using system = await start({ seed: true, backendSettings: {} });
    for (const [name, backend] of backends(system)) {
      const path = `/v1/${name}`;
      for (const headers of [{}, serviceSecret, { "x-service-secret": "" }, bearer(adminToken)]) {
        for (const [method, route] of internalRoutes[name] ?? []) {
          assert.equal((await backend.request(method, route, headers)).status, 401, route);
        }
        assert.equal((await backend.send("POST", path, newPlace, headers)).status, 401);
        assert.equal((await backend.request("DELETE", `${path}/1`, headers)).status, 401);
      }
      assert.equal((await backend.get(`${path}/1`)).status, 200);
    }
  });

  test("only_the_exact_services_secret_opens_internal_routes", async () => {
    await using system = await start({ seed: true, backendSettings: { SERVICE_SECRET } });
    for (const [name, backend] of backends(system)) {
      for (const [method, route] of internalRoutes[name] ?? []) {
        const response = await backend.request(method, route, serviceSecret);
        assert.equal(response.status, successStatus(route), `${route} ${response.text}`);
        for (const guess of ["", `${SERVICE_SECRET}x`, SERVICE_SECRET.slice(1)]) {
          const rejected = await backend.request(method, route, { "x-service-secret": guess });
          assert.equal(rejected.status, 401, guess);
        }
      }
    }
  });

  test("a_short_services_secret_is_ignored", async () => {
    await using system = await start({ backendSettings: { SERVICE_SECRET: "short" } });
    const headers = { "x-service-secret": "short" };
    assert.equal((await system.places.get("/internal/counter", headers)).status, 401);
    assert.equal((await system.people.get("/internal/counter", headers)).status, 401);
  });

  test("a_backends_own_token_allows_what_its_scope_allows", async () => {
    await using system = await start({ seed: true, backendSettings: { TOKENS } });
    for (const [name, backend] of backends(system)) {
      for (const [method, route] of internalRoutes[name] ?? []) {
        if (route.includes("detach-dead")) continue;
        const response = await backend.request(method, route, bearer(adminToken));
        assert.equal(response.status, successStatus(route), route);
        assert.equal((await backend.request(method, route, bearer(writeToken))).status, 403, route);
      }
      const patch = (token: string) => backend.send("PATCH", `/v1/${name}/1`, {}, bearer(token));
      assert.deepEqual(
        [(await patch(writeToken)).status, (await patch(readToken)).status],
        [200, 403],
      );
    }
  });

  test("the_gateway_drops_a_services_secret_sent_by_a_client", async () => {
    await using system = await start({
      seed: true,
      gatewaySettings: { WRITES: "open", SERVICE_SECRET: "" },
      backendSettings: { SERVICE_SECRET },
    });
    const { join } = system;
    for (const name of ["X-Service-Secret", "x-service-secret"]) {
      const headers = { [name]: SERVICE_SECRET, ...bearer(adminToken) };
      const rejected = await join.send("PATCH", "/v1/people/1", {}, headers);
      assert.deepEqual([rejected.status, rejected.json.service], [502, "people"], name);
      assert.equal(rejected.headers["www-authenticate"], undefined);
    }
    assert.equal((await join.get("/v1/people/1", serviceSecret)).status, 200);
    assert.equal((await join.get("/v1/integrity", serviceSecret)).status, 502);
  });

  test("the_gateway_does_not_forward_a_clients_credentials", async () => {
    const echo = (request: Request) => {
      const names = ["authorization", "cookie", "x-service-secret", "x-other"];
      const id = request.headers.get("x-request-id") ?? "";
      const values = names.map((name) => request.headers.get(name));
      return Response.json(values, { headers: { "x-request-id": id } });
    };
    await using system = await start({ gatewaySettings: { TOKENS }, stubs: { people: echo } });
    const headers = {
      ...bearer(writeToken),
      cookie: "a=b",
      "x-service-secret": "x",
      "x-other": "o",
    };
    for (const method of ["GET", "DELETE"]) {
      const response = await system.join.request(method, "/v1/people/1", headers);
      assert.deepEqual(response.json, [null, null, SERVICE_SECRET, "o"], method);
    }
  });

  test("a_forwarded_request_is_marked_whatever_headers_its_client_sends", async () => {
    const echo = (request: Request) => {
      const id = request.headers.get("x-request-id") ?? "";
      return Response.json([...request.headers], { headers: { "x-request-id": id } });
    };
    await using system = await start({ gatewaySettings: { TOKENS }, stubs: { people: echo } });
    const clientHeaders: Record<string, string>[] = [
      {},
      { [FORWARDED_HEADER]: "" },
      { [FORWARDED_HEADER]: "0", [VERSION_HEADER]: "0" },
      { connection: FORWARDED_HEADER, [FORWARDED_HEADER]: "0" },
      { connection: CALLER_HEADER, [CALLER_HEADER]: "0123456789abcdef" },
      { connection: ACTOR_HEADER, [ACTOR_HEADER]: "ops" },
      { connection: "close, X-Gateway-Forwarded,x-service-secret, , a b,x-mine", "x-mine": "1" },
      { "keep-alive": "timeout=5", "proxy-connection": "x", te: "trailers", trailer: "x-mine" },
      { connection: "upgrade", upgrade: "h2c", "proxy-authorization": "Basic eA==" },
    ];
    for (const headers of clientHeaders) {
      for (const [method, token] of [
        ["GET", readToken],
        ["POST", writeToken],
      ] as const) {
        const requestHeaders = { ...headers, ...bearer(token) };
        const { status, body } = await sendRaw(
          system.join.url,
          method,
          "/v1/people",
          requestHeaders,
        );
        assert.equal(status, 200, body);
        const received: [string, string][] = JSON.parse(body);
        const internal = received.filter(([name]) =>
          [
            ACTOR_HEADER,
            CALLER_HEADER,
            FORWARDED_HEADER,
            VERSION_HEADER,
            "x-service-secret",
          ].includes(name),
        );
        assert.deepEqual(internal, [
          [ACTOR_HEADER, token === readToken ? "rosa" : "anna"],
          [CALLER_HEADER, tokenHash(token).slice(0, 16)],
          [FORWARDED_HEADER, "1"],
          [VERSION_HEADER, "1"],
          ["x-service-secret", SERVICE_SECRET],
        ]);
        const allowed = ["content-length", "host", "traceparent", "x-request-id", "x-d1-bookmark"];
        const unexpected = received.map(([name]) => name).filter((name) => !allowed.includes(name));
        assert.deepEqual(
          unexpected,
          internal.map(([name]) => name),
          JSON.stringify(headers),
        );
      }
    }
  });

  test("a_forwarded_request_gets_404_from_internal_routes", async () => {
    await using system = await start({ seed: true, backendSettings: { TOKENS, SERVICE_SECRET } });
    for (const [name, backend] of backends(system)) {
      for (const [method, route] of internalRoutes[name] ?? []) {
        for (const credential of [{}, serviceSecret, bearer(adminToken)]) {
          for (const value of ["1", "0", ""]) {
            const headers = { ...credential, [FORWARDED_HEADER]: value };
            for (const testedMethod of [method, "HEAD", "OPTIONS"]) {
              const { status } = await backend.request(testedMethod, route, headers);
              assert.equal(status, 404, `${testedMethod} ${route}`);
            }
          }
        }
        assert.equal(
          (await backend.request(method, route, serviceSecret)).status,
          successStatus(route),
        );
      }
      const headers = { ...serviceSecret, [FORWARDED_HEADER]: "1" };
      assert.equal((await backend.get(`/v1/${name}/1`, headers)).status, 200);
      assert.equal((await backend.send("PATCH", `/v1/${name}/1`, {}, headers)).status, 200);
    }
  });

  test("a_path_that_a_proxy_rewrites_to_an_internal_route_gets_404", async () => {
    // Simulates a proxy that rewrites a path between the gateway and a backend.
    const rewriting = `
      import Built from "./index.js";
      export default {
        fetch(request, env, ctx) {
          const path = request.headers.get("x-rewrite-to");
          const rewritten = path ? new Request(new URL(path, request.url), request) : request;
          return Built.fetch(rewritten, env, ctx);
        },
      };`;
    const wrappers = { places: rewriting, people: rewriting };
    const closed: Options = { gatewaySettings: { TOKENS }, backendSettings: { SERVICE_SECRET } };
    const open: Options = {
      gatewaySettings: { WRITES: "open", SERVICE_SECRET: "" },
      backendSettings: { WRITES: "open" },
    };
    for (const settings of [closed, open]) {
      await using system = await start({ seed: true, wrappers, ...settings });
      for (const [name, paths] of Object.entries(internalRoutes)) {
        for (const [method, path] of paths) {
          for (const testedMethod of [method, "OPTIONS"]) {
            for (const target of [path, `/v1${path}`]) {
              const headers = { ...bearer(adminToken), "x-rewrite-to": target };
              const { status, text } = await system.join.request(
                testedMethod,
                `/v1/${name}/1`,
                headers,
              );
              assert.equal(status, 404, `${testedMethod} ${target}: ${text}`);
            }
          }
        }
        const headers = { "x-rewrite-to": `/v1/${name}/2` };
        assert.equal((await system.join.get(`/v1/${name}/1`, headers)).json.id, 2);
      }
      // The services' own internal calls still work.
      assert.equal((await system.join.get("/v1/integrity", bearer(adminToken))).status, 200);
    }
  });

  test("a_request_with_a_service_name_as_host_is_an_external_request", async () => {
    await using system = await start({ seed: true });
    for (const name of ["places", "people"]) {
      const response = await system.fetchGateway(`https://${name}/v1/${name}/1`);
      assert.equal(response.status, 200, await response.text());
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.ok(response.headers.get("strict-transport-security"));
    }
  });

  test("the_backends_have_no_public_address_when_deployed", () => {
    for (const name of ["places", "people"]) {
      const config = readFileSync(`workers/${name}/wrangler.toml`, "utf8");
      assert.match(config, /^workers_dev = false$/m);
      assert.match(config, /^preview_urls = false$/m);
      assert.doesNotMatch(config, /^\s*routes?\b|custom_domain|^\[env/m);
      assert.doesNotMatch(config, /WRITES|READS/);
    }
  });

  test("no_worker_has_preview_addresses", () => {
    for (const folder of ["", "workers/places/", "workers/people/"]) {
      assert.match(readFileSync(`${folder}wrangler.toml`, "utf8"), /^preview_urls = false$/m);
    }
  });
});
