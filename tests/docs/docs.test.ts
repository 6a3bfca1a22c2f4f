// What the documents show is what is answered: their commands are run, in order, each document
// on fresh databases.
import { test } from "node:test";
import { assertDocCommands } from "../support/doc_commands.ts";
import { start } from "../support/harness.ts";

for (const document of ["README.md", "docs/curl.md"]) {
  test(`${document} shows what is answered`, async () => {
    await using system = await start({ seed: true });
    await assertDocCommands(document, system.join.url);
  });
}
