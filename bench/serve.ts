// Runs one contestant, and sends its addresses to the parent process:
// `node bench/serve.ts NAME JSON`. It stops when the parent process ends.
import { type ContestantName, contestants, type Options } from "./contestants.ts";

const [name, options] = process.argv.slice(2);
const given: Options = JSON.parse(options ?? "{}");
const started = await contestants[name as ContestantName].start(given);
let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  await started.stop();
  process.exit();
};
process.on("disconnect", stop);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
const { urls, inspector } = started;
process.send?.({ urls, inspector });
