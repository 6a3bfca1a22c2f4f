// `make bill REMOTE=1` compares the size of each deployed database with the limits of the plans.
import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseSizes } from "../../bench/bill/sizes.ts";
import { accountSettings } from "../support/backup_helpers.ts";
import { createDatabases } from "../support/cloudflare/install.ts";
import { Cloudflare } from "../support/cloudflare/server.ts";

test("the_bill_shows_the_size_of_each_database_against_its_limit", async () => {
  const cloudflare = await Cloudflare.start();
  try {
    await createDatabases(cloudflare, "staging", true);
    Object.assign(process.env, accountSettings(cloudflare));
    const lines = await databaseSizes("staging");
    assert.equal(lines.length, 3);
    for (const line of lines) {
      const plans =
        "\\d\\.\\d % of the 500 MB of the Free plan, 0.0 % of the 10,000 MB of the Paid plan";
      const pattern = new RegExp(`^(?:places|people|join)-staging: (\\d\\.\\d\\d) MB, ${plans}$`);
      const [, megabytes] = pattern.exec(line) ?? [];
      assert.ok(Number(megabytes) > 0, line);
    }
  } finally {
    await cloudflare.stop();
  }
});
