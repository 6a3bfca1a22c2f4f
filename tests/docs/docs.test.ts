// The commands in the documents print what the documents show. Each document gets fresh databases.
import { test } from "node:test";
import { assertDocumentedCommands, documentedSettings } from "../support/doc_commands.ts";
import { start } from "../support/harness.ts";

const documents = ["README.md", "docs/curl.md", "docs/bulk.md", "docs/rules.md"];
for (const document of documents) {
  test(`the_commands_in_${document}_print_the_output_shown`, async () => {
    await using system = await start({ seed: true, gatewaySettings: documentedSettings });
    await assertDocumentedCommands(document, system.join.url);
  });
}

test("the_reads_in_the_documents_print_the_output_shown", async () => {
  const gatewaySettings = { WRITES: "open", ALLOWED_ORIGINS: "https://map.example" };
  await using system = await start({ seed: true, gatewaySettings });
  for (const document of ["docs/http.md", "docs/statistics.md"]) {
    await assertDocumentedCommands(document, system.join.url);
  }
});
