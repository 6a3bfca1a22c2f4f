// The commands in the documents print what the documents show, each document on fresh databases.
import { test } from "node:test";
import { assertDocumentedCommands, documentedSettings } from "../support/doc_commands.ts";
import { start } from "../support/harness.ts";

for (const document of ["README.md", "docs/curl.md"]) {
  test(`the_commands_in_${document}_print_the_output_shown`, async () => {
    await using system = await start({ seed: true, gatewaySettings: documentedSettings });
    await assertDocumentedCommands(document, system.join.url);
  });
}
