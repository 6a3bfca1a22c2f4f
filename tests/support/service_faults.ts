// The ways in which a service fails, and a main module that serves the worker behind it until it
// is told to fail in one of them.
import type { StandIn } from "./harness.ts";

const throws: StandIn = () => {
  throw new Error("S3CR3T");
};

/** It says so itself, or says nothing. */
export const failures: Record<string, StandIn> = {
  throws,
  answers_500: () => new Response("S3CR3T", { status: 500 }),
  answers_503: () => new Response("S3CR3T", { status: 503, headers: { "retry-after": "1" } }),
};

/** It answers what is no answer. */
export const unreadable: Record<string, StandIn> = {
  answers_nonsense: () => new Response("<html>S3CR3T</html>\n"),
  answers_nonsense_without_a_line_end: () => new Response("S3CR3T"),
  answers_another_shape: () => new Response('{"error":"S3CR3T"}\n'),
  answers_nothing: () => new Response(""),
  breaks_off_within_a_line: () => new Response('{"id":1,"name":"S3CR3T'),
  breaks_off_by_an_error: () => {
    const first = new TextEncoder().encode('[{"id":1,"name":"S3CR3T"},\n{"id":2,');
    const pull = (controller: ReadableStreamDefaultController) =>
      controller.desiredSize === 1
        ? controller.enqueue(first)
        : controller.error(new Error("S3CR3T"));
    return new Response(new ReadableStream({ pull }, { highWaterMark: 1 }));
  },
  redirects: () => Response.redirect("https://elsewhere.invalid/S3CR3T", 302),
  does_not_know_its_own_route: () => new Response("S3CR3T", { status: 404 }),
  refuses: () => new Response("S3CR3T", { status: 400 }),
};

/** The same, of the people of places. */
export const unreadableGroups: Record<string, StandIn> = {
  gives_groups_out_of_order: () =>
    new Response('[{"placeId":3,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
  gives_a_group_twice: () =>
    new Response('[{"placeId":1,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
};

/** It never answers, or never goes on. */
export const slow: Record<string, StandIn> = {
  never_answers: () =>
    new Promise((resolve) => setTimeout(() => resolve(new Response("S3CR3T")), 60_000)),
  stalls_within_its_body: () => {
    let isFirst = true;
    const pull = async (controller: ReadableStreamDefaultController) => {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, 60_000));
      isFirst = false;
      controller.enqueue(new TextEncoder().encode("["));
    };
    return new Response(new ReadableStream({ pull }));
  },
};

/** It fails every other time, and answers as it should in between. */
const every_other: StandIn = () => new Response("S3CR3T", { status: 500 });

export const all = { ...failures, ...unreadable, ...unreadableGroups, ...slow, every_other };

const table = Object.entries(all).map(([name, standIn]) => `${name}: ${standIn}`);

/** `POST /fault?NAME` sets one, `POST /fault` ends it; either tells how many requests came since. */
export const switching = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const faults = { ${table.join(",\n")} };
  let fault = "";
  let asked = 0;
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/fault") {
        const before = asked;
        asked = 0;
        fault = url.search.slice(1);
        return new Response(String(before));
      }
      asked += 1;
      const isWell = !fault || (fault === "every_other" && asked % 2 === 0);
      return isWell ? Built.fetch(request, this.env, this.ctx) : faults[fault](request);
    }
  }
`;
