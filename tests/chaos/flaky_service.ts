// A main module that wraps a built worker. It makes a share of the worker's requests fail in random
// ways. The requests come from the gateway and from the other backend.

type Handle = () => Promise<Response>;
type Fault = (handle: Handle) => Promise<Response>;

/** Only the source text of a fault is used, so it can refer to nothing else outside. */
declare const random: () => number;
declare const wait: (milliseconds: number) => Promise<void>;

/** A fault that hangs exceeds the gateway's deadline, see `service_failures.ts`. */
const faults: Record<string, Fault> = {
  drops_the_request: async () => {
    throw new Error("S3CR3T");
  },
  drops_the_response: async (handle) => {
    await handle();
    throw new Error("S3CR3T");
  },
  is_slow: async (handle) => {
    await wait(20 + 150 * random());
    return handle();
  },
  hangs_before_its_work: async () => {
    await wait(1_200);
    throw new Error("S3CR3T");
  },
  hangs_after_its_work: async (handle) => {
    const response = await handle();
    await wait(1_200);
    return response;
  },
  responds_500: async () => new Response("S3CR3T", { status: 500 }),
  responds_500_after_its_work: async (handle) => {
    await handle();
    return new Response("S3CR3T", { status: 500 });
  },
  responds_503: async () => new Response("S3CR3T", { status: 503 }),
  truncates_its_body: async (handle) => {
    const response = await handle();
    if (!response.body) return response;
    const bytes = await response.arrayBuffer();
    const { status } = response;
    const headers = new Headers(response.headers);
    headers.delete("content-length");
    const maxLength = Math.max(0, bytes.byteLength - 1);
    return new Response(bytes.slice(0, Math.floor(maxLength * random())), { status, headers });
  },
  aborts_its_body: async (handle) => {
    const response = await handle();
    if (!response.body) return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { status } = response;
    const headers = new Headers(response.headers);
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
  corrupts_its_body: async (handle) => {
    const response = await handle();
    if (!response.body) return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { status } = response;
    const headers = new Headers(response.headers);
    // JSON never contains this character.
    if (bytes.length > 0) bytes[Math.floor(bytes.length * random())] = 0;
    return new Response(bytes, { status, headers });
  },
};

export const faultNames = Object.keys(faults);

const sourceOfFaults = Object.entries(faults).map(([name, fault]) => `${name}: ${fault}`);

/** `POST /flaky?rate=RATE&seed=SEED` sets the share of requests that fail. It returns how often
 * each fault has occurred since the last call. */
export const flakyService = `
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
  const faults = { ${sourceOfFaults.join(",\n")} };
  const names = Object.keys(faults);
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/flaky") {
        const counted = counts;
        counts = {};
        rate = Number(url.searchParams.get("rate"));
        state = Number(url.searchParams.get("seed"));
        return Response.json(counted);
      }
      const handle = async () => Built.fetch(request, this.env, this.ctx);
      if (random() >= rate) return handle();
      const name = names[Math.floor(random() * names.length)];
      counts[name] = (counts[name] ?? 0) + 1;
      return faults[name](handle);
    }
  }
`;
