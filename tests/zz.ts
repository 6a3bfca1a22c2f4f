import { start } from "./harness.ts";
import { Agent, get } from "node:http";
const s = await start({ seed: true });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const once = (url: string) => new Promise<void>((ok, no) => { get(url, { agent }, (r) => { r.resume(); r.on("end", ok); }).on("error", no); });
for (const path of ["/v1/people/1", "/v1/people-per-place/3"]) {
  const url = s.join.url.origin + path;
  for (let i = 0; i < 500; i++) await once(url);
  const runs = [];
  for (let r = 0; r < 5; r++) {
    const times: number[] = [];
    for (let i = 0; i < 1000; i++) { const t = performance.now(); await once(url); times.push(performance.now() - t); }
    times.sort((a, b) => a - b);
    runs.push(times[500]!.toFixed(3) + "/" + times[950]!.toFixed(3));
  }
  console.log(path, "p50/p95 ms", runs.join(" "));
}
agent.destroy();
await s.dispose();
