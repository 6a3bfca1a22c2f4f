// The ports of this machine on which the containers of the container test listen.
import { once } from "node:events";
import { createServer } from "node:net";

/** The ports on which the containers listen, as in compose.yaml. */
export const ports = { places: 5001, people: 5002, join: 5003 };

/** The port of the proxy with TLS, as in compose.yaml. */
export const TLS_PORT = 5443;

/** The port of the gateway behind the proxy, if the containers share the network of this machine. */
export const INTERNAL_PORT = 5013;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Says which of these ports are in use, if any are. */
export async function portsInUse(wanted: number[]): Promise<string | undefined> {
  const free = await Promise.all(wanted.map(isFree));
  const used = wanted.filter((_, index) => !free[index]);
  if (used.length === 0) return undefined;
  const [subject, them] = used.length === 1 ? ["port", "is"] : ["ports", "are"];
  return `${subject} ${used.join(", ")} of 127.0.0.1 ${them} in use: stop what uses them, such as make dev or docker compose up`;
}
