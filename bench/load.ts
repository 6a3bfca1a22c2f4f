// Generates load on plain sockets. It only looks for the end of a response, so that the server gets
// most of the CPU. It keeps every latency, so that percentiles are exact. Each connection sends its
// next request after the previous response.
import { connect, type Socket } from "node:net";
import { AnswerReader } from "./http.ts";

/** A request to send. */
export type Shot = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
};

export type Load = {
  url: URL;
  connections: number;
  /** Sent in this order, repeatedly. */
  shots: Buffer[];
  /** The expected status of each response. */
  status: number;
  /** No request is sent after this time. Requests in flight may finish. */
  seconds: number;
  /** The maximum number of requests, if there is one. */
  requests?: number;
  /** The seconds that requests in flight have to finish. */
  timeout: number;
};

export type Outcome = {
  requests: number;
  seconds: number;
  /** The milliseconds of each request. */
  latencies: number[];
  /** The bytes of all bodies. */
  bytes: number;
  /** The first failure, or an empty string. */
  failure: string;
};

export function wire(url: URL, { method, path, headers = {}, body }: Shot): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const content = Buffer.from(body ?? "");
  if (body !== undefined) lines.push(`content-length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), content]);
}

/** Puts a server under load. It never throws: failures are in the outcome. */
export function fire(load: Load): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const latencies: number[] = [];
  const connections: Connection[] = [];
  const begin = performance.now();
  const until = begin + load.seconds * 1000;
  let [end, bytes, sent, busy, failure] = [begin, 0, 0, load.connections, ""];

  const finish = (problem = "") => {
    clearTimeout(limit);
    failure ||= problem;
    for (const connection of connections) connection.close();
    const seconds = (end - begin) / 1000;
    resolve({ requests: latencies.length, seconds, latencies, bytes, failure });
  };
  const limit = setTimeout(
    () => finish(`no response within ${load.timeout} s`),
    (load.seconds + load.timeout) * 1000,
  );
  const next = (now: number): Buffer | undefined => {
    if (failure || now >= until || sent >= (load.requests ?? Infinity)) {
      busy -= 1;
      if (busy === 0) setImmediate(finish);
      return undefined;
    }
    sent += 1;
    return load.shots[(sent - 1) % load.shots.length];
  };
  const answered = (status: number, size: number, latency: number, now: number) => {
    latencies.push(latency);
    bytes += size;
    end = now;
    if (status !== load.status) failure ||= `a response had the status ${status}`;
  };
  for (let n = 0; n < load.connections; n += 1) {
    connections.push(new Connection(load.url, { next, answered, failed: finish }));
  }
  return promise;
}

type Callbacks = {
  next(now: number): Buffer | undefined;
  answered(status: number, size: number, latency: number, now: number): void;
  failed(why: string): void;
};

/** All sockets share one read buffer, because each read is processed at once. */
const buffer = Buffer.alloc(256 * 1024);

/** One connection. Connects again if the server closes it after a response. */
class Connection {
  readonly #url: URL;
  readonly #callbacks: Callbacks;
  #socket: Socket;
  #closed = false;
  #sentAt = 0;
  #waiting: Buffer | undefined;

  constructor(url: URL, callbacks: Callbacks) {
    this.#url = url;
    this.#callbacks = callbacks;
    this.#socket = this.#connect();
    this.#send();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #connect(): Socket {
    const reader = new AnswerReader();
    const read = (length: number, buffer: Uint8Array) => {
      reader.push(buffer.subarray(0, length) as Buffer);
      if (reader.isWhole) this.#answered(reader);
      return true;
    };
    const [host, port] = [this.#url.hostname, Number(this.#url.port)];
    const socket = connect({ host, port, noDelay: true, onread: { buffer, callback: read } });
    socket.on("error", (error) => this.#lost(socket, error.message));
    socket.on("close", () => {
      if (reader.endsWithConnection) this.#answered(reader);
      else this.#lost(socket, "the connection was closed");
    });
    return socket;
  }

  #lost(socket: Socket, why: string): void {
    if (this.#closed || socket !== this.#socket || !this.#waiting) return;
    this.#closed = true;
    this.#callbacks.failed(why);
  }

  #answered(reader: AnswerReader): void {
    if (this.#closed) return;
    const now = performance.now();
    const { status, size, closes } = reader;
    reader.reset();
    this.#waiting = undefined;
    this.#callbacks.answered(status, size, now - this.#sentAt, now);
    if (closes) {
      this.#socket.destroy();
      this.#socket = this.#connect();
    }
    this.#send();
  }

  #send(): void {
    this.#sentAt = performance.now();
    this.#waiting = this.#callbacks.next(this.#sentAt);
    if (this.#waiting) this.#socket.write(this.#waiting);
  }
}
