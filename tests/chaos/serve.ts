// Runs the three workers over kept databases, for the process that has started it and that may
// kill it at any moment: `node tests/chaos/serve.ts FOLDER`, with a channel on which it tells where
// the entry point and the inspector listen. It never outlives that process.
import { start } from "../support/harness.ts";

const [persist = ""] = process.argv.slice(2);
const system = await start({ persist, inspected: true });
process.on("disconnect", () => process.exit());
process.send?.({ entry: system.join.url.href, inspector: await system.inspector() });
