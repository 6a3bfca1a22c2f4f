// A load generator on bare sockets: it reads of an answer no more than where it ends, so that
// the machine's time goes to the server, and it keeps every latency, so that percentiles are
// exact. Each connection sends its next request when it has the answer to the last one.
import { connect, type Socket } from "node:net";
import { AnswerReader } from "./http.ts";

/** A request as it goes over the wire. */
export type Shot = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
};

export type Load = {
  url: URL;
  connections: number;
  /** Fired one after the other, and again from the first. */
  shots: Buffer[];
  /** What each answer must have. */
  status: number;
  /** No request is sent behind this; those on their way are waited for. */
  seconds: number;
  /** Or behind so many requests. */
  requests?: number;
  /** How long those on their way are waited for. */
  patience: number;
};

export type Outcome = {
  requests: number;
  seconds: number;
  /** Of each request, in milliseconds. */
  latencies: number[];
  /** Bytes of the bodies. */
  bytes: number;
  /** Empty, or what went wrong. */
  failure: string;
};

export function wire(url: URL, { method, path, headers = {}, body }: Shot): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const content = Buffer.from(body ?? "");
  if (body !== undefined) lines.push(`content-length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), content]);
}

/** Puts a server under load. It never throws: what went wrong is in the outcome. */
export function fire(load: Load): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const latencies: number[] = [];
  const gunners: Gunner[] = [];
  const begin = performance.now();
  const until = begin + load.seconds * 1000;
  let [end, bytes, sent, busy, failure] = [begin, 0, 0, load.connections, ""];

  const finish = (problem = "") => {
    clearTimeout(limit);
    failure ||= problem;
    for (const gunner of gunners) gunner.close();
    const seconds = (end - begin) / 1000;
    resolve({ requests: latencies.length, seconds, latencies, bytes, failure });
  };
  const limit = setTimeout(
    () => finish(`no answer within ${load.patience} s`),
    (load.seconds + load.patience) * 1000,
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
    if (status !== load.status) failure ||= `an answer was ${status}`;
  };
  for (let n = 0; n < load.connections; n += 1) {
    gunners.push(new Gunner(load.url, { next, answered, failed: finish }));
  }
  return promise;
}

type Orders = {
  next(now: number): Buffer | undefined;
  answered(status: number, size: number, latency: number, now: number): void;
  failed(why: string): void;
};

/** All sockets read into the same memory: what is read is looked at right away, and dropped. */
const buffer = Buffer.alloc(256 * 1024);

/** One connection; a new one where the server closes it behind an answer. */
class Gunner {
  readonly #url: URL;
  readonly #orders: Orders;
  #socket: Socket;
  #closed = false;
  #sentAt = 0;
  #waiting: Buffer | undefined;

  constructor(url: URL, orders: Orders) {
    this.#url = url;
    this.#orders = orders;
    this.#socket = this.#connect();
    this.#shoot();
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
    this.#orders.failed(why);
  }

  #answered(reader: AnswerReader): void {
    if (this.#closed) return;
    const now = performance.now();
    const { status, size, closes } = reader;
    reader.reset();
    this.#waiting = undefined;
    this.#orders.answered(status, size, now - this.#sentAt, now);
    if (closes) {
      this.#socket.destroy();
      this.#socket = this.#connect();
    }
    this.#shoot();
  }

  #shoot(): void {
    this.#sentAt = performance.now();
    this.#waiting = this.#orders.next(this.#sentAt);
    if (this.#waiting) this.#socket.write(this.#waiting);
  }
}
