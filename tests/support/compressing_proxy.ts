// A proxy that compresses every response body and then makes its entity tag weak, as Cloudflare's
// edge does (https://developers.cloudflare.com/cache/reference/etag-headers/).
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";

/** The headers of one connection, and those that describe the body of the response. */
const notForwarded = new Set(["connection", "keep-alive", "transfer-encoding", "content-length"]);

async function respond(from: IncomingMessage, to: ServerResponse): Promise<void> {
  const body = await buffer(from);
  to.statusCode = from.statusCode ?? 502;
  for (const [name, value] of Object.entries(from.headers)) {
    if (value !== undefined && !notForwarded.has(name)) to.setHeader(name, value);
  }
  const etag = from.headers.etag;
  if (body.length === 0) {
    to.end();
    return;
  }
  to.setHeader("content-encoding", "gzip");
  if (etag?.startsWith('"')) to.setHeader("etag", `W/${etag}`);
  to.end(gzipSync(body));
}

/** Starts a proxy in front of a server on loopback. Returns its address, and a function that stops
 * it. */
export async function startCompressingProxy(target: URL) {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const sent = request(target.origin + url, { method, headers, agent: false }, (response) => {
      respond(response, outgoing).catch((error) => outgoing.destroy(error));
    });
    sent.on("error", (error) => outgoing.destroy(error));
    incoming.pipe(sent);
  });
  // A client may use a kept-alive connection again at the moment at which it times out.
  server.keepAliveTimeout = 0;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
