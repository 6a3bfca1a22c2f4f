// Clients that disconnect. Also a main module that wraps a worker, with which a test can disconnect
// during any call of the worker's database.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Sends a request, and closes the connection after some milliseconds without reading a response. */
export async function disconnectAfter(
  milliseconds: number,
  url: URL,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = "",
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(Number(url.port), url.hostname);
  // The server may close the connection first.
  socket.on("error", () => {}).on("close", () => resolve());
  const fields = { host: url.host, "content-length": String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  await sleep(milliseconds);
  socket.destroy();
  await promise;
}

/** A main module that wraps a worker. `beforeCall` runs before each call of its database, and
 * `respond` may respond to a request instead of the worker. */
const wrapped = (beforeCall: string, state = "", respond = "") => `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  ${state}
  let isInstalled = false;
  // All calls of D1 pass through this one method.
  const install = (env) => {
    isInstalled = true;
    const session = Object.getPrototypeOf(env.DB.withSession("first-primary"));
    const send = session._send;
    session._send = async function (...args) {
      ${beforeCall}
      return send.apply(this, args);
    };
  };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      if (!isInstalled) install(this.env);
      ${respond}
      return Built.fetch(request, this.env, this.ctx);
    }
  }
`;

/** Makes every call of the database wait, so that a client can disconnect during one. */
export const delayedDatabase = wrapped("await scheduler.wait(100);");

/** `POST /pause?at=N` makes the Nth call of the database from then on wait for half a second, and
 * `at=0` none. `GET /pause` returns whether a call waits or has waited since the last `POST`. */
export const pausingDatabase = wrapped(
  `if (callsUntilPause > 0) {
        callsUntilPause -= 1;
        if (callsUntilPause === 0) {
          hasPaused = true;
          await scheduler.wait(500);
        }
      }`,
  `let callsUntilPause = 0;
  let hasPaused = false;`,
  `const url = new URL(request.url);
      if (url.pathname === "/pause") {
        if (request.method === "POST") {
          callsUntilPause = Number(url.searchParams.get("at"));
          hasPaused = false;
        }
        return Response.json(hasPaused);
      }`,
);
