// The faults that a service can have. Also a main module that wraps a built worker, with which a
// test can switch to any of them.
import type { ServiceStub } from "./harness.ts";

const throws: ServiceStub = () => {
  throw new Error("S3CR3T");
};

/** Faults that are reported: an exception, or an error status. */
export const errorFaults: Record<string, ServiceStub> = {
  throws,
  responds_500: () => new Response("S3CR3T", { status: 500 }),
  responds_503: () => new Response("S3CR3T", { status: 503, headers: { "retry-after": "1" } }),
};

/** Responses that a correct service never sends. */
export const malformedFaults: Record<string, ServiceStub> = {
  responds_with_html: () => new Response("<html>S3CR3T</html>\n"),
  responds_with_text_without_a_newline: () => new Response("S3CR3T"),
  responds_with_another_json_shape: () => new Response('{"error":"S3CR3T"}\n'),
  responds_with_an_empty_body: () => new Response(""),
  truncates_its_body: () => new Response('{"id":1,"name":"S3CR3T'),
  aborts_its_body: () => {
    const first = new TextEncoder().encode('[{"id":1,"name":"S3CR3T"},\n{"id":2,');
    const pull = (controller: ReadableStreamDefaultController) =>
      controller.desiredSize === 1
        ? controller.enqueue(first)
        : controller.error(new Error("S3CR3T"));
    return new Response(new ReadableStream({ pull }, { highWaterMark: 1 }));
  },
  redirects: () => Response.redirect("https://elsewhere.invalid/S3CR3T", 302),
  responds_404: () => new Response("S3CR3T", { status: 404 }),
  responds_400: () => new Response("S3CR3T", { status: 400 }),
};

/** Malformed lists of people grouped by place. */
export const malformedGroupFaults: Record<string, ServiceStub> = {
  sends_groups_out_of_order: () =>
    new Response('[{"placeId":3,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
  sends_a_group_twice: () =>
    new Response('[{"placeId":1,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
};

/** Faults that only a deadline ends. */
export const timeoutFaults: Record<string, ServiceStub> = {
  never_responds: () =>
    new Promise((resolve) => setTimeout(() => resolve(new Response("S3CR3T")), 60_000)),
  stalls_in_its_body: () => {
    let isFirst = true;
    const pull = async (controller: ReadableStreamDefaultController) => {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, 60_000));
      isFirst = false;
      controller.enqueue(new TextEncoder().encode("["));
    };
    return new Response(new ReadableStream({ pull }));
  },
};

/** Alternates between an error and a correct response. */
const fails_every_other_time: ServiceStub = () => new Response("S3CR3T", { status: 500 });

const allFaults = {
  ...errorFaults,
  ...malformedFaults,
  ...malformedGroupFaults,
  ...timeoutFaults,
  fails_every_other_time,
};

const sourceOfFaults = Object.entries(allFaults).map(([name, stub]) => `${name}: ${stub}`);

/** `POST /fault?NAME` switches a fault on, `POST /fault` switches it off. Both return the number
 * of requests since the last switch. */
export const faultSwitch = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const faults = { ${sourceOfFaults.join(",\n")} };
  let fault = "";
  let requests = 0;
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/fault") {
        const counted = requests;
        requests = 0;
        fault = url.search.slice(1);
        return new Response(String(counted));
      }
      requests += 1;
      const isHealthy = !fault || (fault === "fails_every_other_time" && requests % 2 === 0);
      return isHealthy ? Built.fetch(request, this.env, this.ctx) : faults[fault](request);
    }
  }
`;
