// Runs one contestant until its input ends, so that it never outlives who has started it:
// `node bench/serve.ts NAME JSON`. Prints where it listens, as one line of JSON.
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
process.stdin.on("end", stop).resume();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
const { urls, inspector } = started;
console.log(JSON.stringify({ urls, inspector }));
