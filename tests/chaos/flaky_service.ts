// The ways in which a service fails between its callers and itself, at random, and a main module
// that stands before a built worker and does so: for whoever calls it, the other services too.

type Do = () => Promise<Response>;
type Fault = (work: Do) => Promise<Response>;

/** Their texts alone are used, so they reach nothing around them but `random` and `wait`. */
declare const random: () => number;
declare const wait: (milliseconds: number) => Promise<void>;

/** Longer than the entry point waits, see `services.ts`. */
const faults: Record<string, Fault> = {
  drops_the_request: async () => {
    throw new Error("S3CR3T");
  },
  drops_the_answer: async (work) => {
    await work();
    throw new Error("S3CR3T");
  },
  is_slow: async (work) => {
    await wait(20 + 150 * random());
    return work();
  },
  hangs_with_the_request: async () => {
    await wait(1_200);
    throw new Error("S3CR3T");
  },
  hangs_with_the_answer: async (work) => {
    const answer = await work();
    await wait(1_200);
    return answer;
  },
  answers_500: async () => new Response("S3CR3T", { status: 500 }),
  answers_500_behind_its_work: async (work) => {
    await work();
    return new Response("S3CR3T", { status: 500 });
  },
  answers_503: async () => new Response("S3CR3T", { status: 503 }),
  truncates: async (work) => {
    const answer = await work();
    if (!answer.body) return answer;
    const bytes = await answer.arrayBuffer();
    const { status } = answer;
    const headers = new Headers(answer.headers);
    headers.delete("content-length");
    const most = Math.max(0, bytes.byteLength - 1);
    return new Response(bytes.slice(0, Math.floor(most * random())), { status, headers });
  },
  breaks_off: async (work) => {
    const answer = await work();
    if (!answer.body) return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { status } = answer;
    const headers = new Headers(answer.headers);
    headers.delete("content-length");
    const half = bytes.slice(0, Math.floor(bytes.length / 2));
    let isFirst = true;
    const pull = (controller: ReadableStreamDefaultController) => {
      if (!isFirst || half.length === 0) return controller.error(new Error("S3CR3T"));
      isFirst = false;
      controller.enqueue(half);
    };
    return new Response(new ReadableStream({ pull }), { status, headers });
  },
  corrupts: async (work) => {
    const answer = await work();
    if (!answer.body) return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { status } = answer;
    const headers = new Headers(answer.headers);
    // No JSON has such a character anywhere.
    if (bytes.length > 0) bytes[Math.floor(bytes.length * random())] = 0;
    return new Response(bytes, { status, headers });
  },
};

/** What they are called. */
export const names = Object.keys(faults);

const table = Object.entries(faults).map(([name, fault]) => `${name}: ${fault}`);

/** `POST /flaky?rate=RATE&seed=SEED` has it fail so often; it tells how often it has failed in
 * which way since it was last asked. */
export const flaky = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  let state = 1;
  let rate = 0;
  let counts = {};
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const faults = { ${table.join(",\n")} };
  const names = Object.keys(faults);
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/flaky") {
        const told = counts;
        counts = {};
        rate = Number(url.searchParams.get("rate"));
        state = Number(url.searchParams.get("seed"));
        return Response.json(told);
      }
      const work = async () => Built.fetch(request, this.env, this.ctx);
      if (random() >= rate) return work();
      const name = names[Math.floor(random() * names.length)];
      counts[name] = (counts[name] ?? 0) + 1;
      return faults[name](work);
    }
  }
`;
