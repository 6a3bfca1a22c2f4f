// Measures the memory of an isolate through V8's inspector: the heap, the memory that the heap
// refers to, and the wasm memory. V8 does not count the wasm memory, which never shrinks.

type Reply = { id: number; result: Record<string, unknown> };
type Created = { method: string; params: { context: { uniqueId: string } } };

/** An inspector session of one worker. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #context = Promise.withResolvers<string>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const reply: Reply & Created = JSON.parse(String(data));
      if (reply.method === "Runtime.executionContextCreated") {
        this.#context.resolve(reply.params.context.uniqueId);
      }
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    };
  }

  static async open(address: string, worker: string): Promise<Inspector> {
    const socket = new WebSocket(new URL(`/core:user:${worker}`, address));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`the inspector of ${worker} does not respond`));
    await promise;
    return new Inspector(socket);
  }

  ask(method: string, params: object = {}): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#asked += 1;
    const id = this.#asked;
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  /** Runs V8's garbage collection. */
  async collect(): Promise<void> {
    await this.ask("HeapProfiler.collectGarbage");
  }

  async heap(): Promise<number> {
    const { result } = await this.ask("Runtime.getHeapUsage");
    const parts = ["totalSize", "embedderHeapUsedSize", "backingStorageSize"];
    return parts.reduce((sum, part) => sum + Number(result[part] ?? 0), 0);
  }

  async wasm(): Promise<number> {
    type Remote = { result: { objectId: string; value: unknown } };
    await this.ask("Runtime.enable");
    const prototype = await this.ask("Runtime.evaluate", {
      expression: "WebAssembly.Memory.prototype",
      uniqueContextId: await this.#context.promise,
    });
    const { objectId } = (prototype.result as Remote).result;
    const found = await this.ask("Runtime.queryObjects", { prototypeObjectId: objectId });
    const { objects } = found.result as { objects: { objectId: string } };
    const sum = await this.ask("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration:
        "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }",
      returnByValue: true,
    });
    return Number((sum.result as Remote).result.value);
  }

  close(): void {
    this.#socket.close();
  }
}

export type Memory = {
  /** The peak bytes of each worker's isolate, including its wasm. */
  isolates: Record<string, number>;
  wasm: Record<string, number>;
  /** The bytes of the whole process, before the request and at the peak. */
  process: { before: number | undefined; most: number | undefined };
  bytes: number;
};

/** Reads a response to its end and measures the memory meanwhile. */
export async function memoryWhile(
  inspector: string,
  workers: string[],
  url: URL,
  resident: () => number | undefined,
): Promise<Memory> {
  const sessions = await Promise.all(workers.map((name) => Inspector.open(inspector, name)));
  const isolates: Record<string, number> = {};
  const before = resident();
  let [most, bytes] = [before, 0];
  const look = async () => {
    for (const [n, session] of sessions.entries()) {
      const name = workers[n] ?? "";
      isolates[name] = Math.max(isolates[name] ?? 0, await session.heap());
    }
    const now = resident();
    if (now !== undefined) most = Math.max(most ?? 0, now);
  };
  try {
    const answer = await fetch(url);
    let looked = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.length;
      if (bytes - looked < 1_000_000) continue;
      looked = bytes;
      await look();
    }
    const wasm: Record<string, number> = {};
    for (const [n, session] of sessions.entries()) {
      const name = workers[n] ?? "";
      wasm[name] = await session.wasm();
      isolates[name] = (isolates[name] ?? 0) + wasm[name];
    }
    return { isolates, wasm, process: { before, most }, bytes };
  } finally {
    for (const session of sessions) session.close();
  }
}
