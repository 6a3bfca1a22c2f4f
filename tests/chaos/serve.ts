// Runs the three workers over stored databases: `node tests/chaos/serve.ts FOLDER`. It sends the
// addresses of the gateway and of the inspector to its parent process, and stops when the parent
// ends.
import { start } from "../support/harness.ts";

const [persist = ""] = process.argv.slice(2);
const system = await start({ persist, inspector: true });
process.on("disconnect", () => process.exit());
process.send?.({ gateway: system.join.url.href, inspector: await system.inspector() });
