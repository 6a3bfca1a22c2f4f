// Sends HTTP/1.1 requests over a socket. `fetch` normalizes an address. A socket sends it
// unchanged, like `curl --path-as-is`.
import { once } from "node:events";
import { connect } from "node:net";

export type RawResponse = { status: number; head: string; body: string };

/** Whether the text is a complete response. */
function isComplete(method: string, text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const [head, body] = [text.slice(0, end), text.slice(end + 4)];
  if (method === "HEAD" || /^HTTP\/1.1 (204|304) /.test(head)) return true;
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  return length === undefined ? body.endsWith("0\r\n\r\n") : body.length >= Number(length);
}

/** Sends one request. Each character of its target is sent as one byte, unchanged. */
export async function sendRaw(
  { hostname, port, host }: URL,
  method: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<RawResponse> {
  const fields = { host, "content-length": "0", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.setTimeout(10_000, () => socket.destroy(new Error(`no response to ${method} ${target}`)));
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    if (isComplete(method, text)) socket.destroy();
  });
  await once(socket, "close");
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  return { status: Number(head.split(" ")[1]), head, body: text.slice(end + 4) };
}

/** The UTF-8 bytes of a text, one character per byte, as `sendRaw` expects them. */
const byteString = (text: string) => Buffer.from(text).toString("latin1");

/** Spellings of a path that begin at a service's collection or at the root. Each reaches the path
 * if a server resolves dot segments, treats `\` as `/`, decodes a path before splitting it,
 * merges slashes, or parses in its own way. */
export function pathTraversals(service: string, path: string): string[] {
  const inside = path.slice(1);
  const encoded = (slash: string) => inside.replaceAll("/", slash);
  const escapes = ["%2e%2e", "%2E%2E", "%2e%2E", ".%2e", ".%2E", "%2e.", "%2E."].flatMap((dots) => [
    `${dots}/${inside}`,
    `${dots}\\${encoded("\\")}`,
    `${dots}%2f${encoded("%2f")}`,
    `${dots}%5c${encoded("%5C")}`,
    `${dots}//${inside}`,
    `${dots}/%2e/${inside}`,
    `%2e/${dots}/${inside}`,
    `1/${dots}/${dots}/${inside}`,
    `import/${dots}/${dots}/${inside}`,
  ]);
  return [
    ...escapes,
    `..\\${inside}`,
    `..\\${encoded("\\")}`,
    `1\\..\\..\\${encoded("\\")}`,
    `.\\..\\${inside}`,
    `..%2f${encoded("%2F")}`,
    `..%5c${inside}`,
    `%252e%252e/${inside}`,
    `%252e%252e%252f${encoded("%252f")}`,
    `..%00/${inside}`,
    `..%09/${inside}`,
    `..\u0001/${inside}`,
    `/${inside}`,
    `//${inside}`,
    `\\${inside}`,
    `\\\\${inside}`,
    `%2f${inside}`,
    `%5c${inside}`,
    `%uff0e%uff0e/${inside}`,
    `\u00c0\u00ae\u00c0\u00ae/${inside}`,
    `\uff0e\uff0e/${inside}`,
    `#/../../${inside}`,
    `1#/../../../${inside}`,
  ]
    .map((rest) => byteString(`/v1/${service}/${rest}`))
    .concat(
      `/v1/%2e%2e/v1${path}`,
      `/v1/%2e%2e${path}`,
      `/%2e%2e${path}`,
      `/%2e${path}`,
      `/v1\\${service}\\..\\${inside}`,
      `//${service}/%2e%2e${path}`,
      `//${service}${path}`,
      `/\\${service}${path}`,
      `/${path}`,
      `/\\${inside}`,
      `/%2f${inside}`,
      `/v1/${path}`,
      `/v1\\${inside}`,
      `/v1/%2f${inside}`,
      `/v1${path}`,
      path,
    );
}

/** Spellings that only a few servers resolve, none of them ours: path parameters and overlong
 * UTF-8. The gateway forwards them unchanged, and they match no route. */
export function unusualPaths(service: string, path: string): string[] {
  return ["..;", "..;x=y", ";/..;", "%c0%ae%c0%ae"].map((dots) => `/v1/${service}/${dots}${path}`);
}
