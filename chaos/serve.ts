// Runs the three workers over kept databases, for the process that has started it and that may
// kill it at any moment: `node chaos/serve.ts FOLDER`, with a channel on which it tells where
// the entry point listens. It never outlives that process.
import { start } from "../tests/harness.ts";

const [persist = ""] = process.argv.slice(2);
const system = await start({ persist });
process.on("disconnect", () => process.exit());
process.send?.(system.join.url.href);
