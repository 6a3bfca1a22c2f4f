// Relays TCP connections to another service. workerd can call a service by a URL or by a fixed
// address. For a URL, it resolves dot segments, so the backend would see another path than the
// gateway checked. For a fixed address, it forwards the path unchanged. A container has no fixed
// address. So workerd calls a port of this process, which relays the bytes of each connection.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Connects to a service. Resolves its name for each connection, because a restarted container may
 * have another address. */
function dial({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return protocol === "https:"
    ? connectTls({ host, port: Number(port || 443), servername: host })
    : connect({ host, port: Number(port || 80) });
}

/** Relays connections on a loopback port to `service`. Returns the address of the port. */
export async function relayTo(service: URL): Promise<string> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = dial(service).setNoDelay();
    client.pipe(upstream).pipe(client);
    // An error on one side closes the other. A normal end passes through the pipe.
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  // The relay alone must not keep the process running.
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
