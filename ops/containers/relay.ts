// A relay of bytes to another service. Workerd sends a request on as it came if the service has a
// fixed address, but not if the request gets another URL: that is parsed, which resolves dot
// segments in the path behind the gateway's back. A container has no fixed address, so workerd
// calls a port of this process, and each connection is passed on without a look at what is said.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Connects to a service. Its name is looked up each time: a container that comes back may have
 * another address, and one that is down has none. */
function dial({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return protocol === "https:"
    ? connectTls({ host, port: Number(port || 443), servername: host })
    : connect({ host, port: Number(port || 80) });
}

/** Listens on the loopback interface, relays each connection to `service`, and tells where it
 * listens. */
export async function relayTo(service: URL): Promise<string> {
  const server = createServer({ noDelay: true }, (caller) => {
    const callee = dial(service).setNoDelay();
    caller.pipe(callee).pipe(caller);
    // One that breaks off takes the other along. One that ends is ended by the pipe.
    caller.on("error", () => callee.destroy());
    callee.on("error", () => caller.destroy());
  });
  // It is no reason for the process to go on.
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
