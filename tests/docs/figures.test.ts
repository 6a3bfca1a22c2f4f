// The figures in the documents equal those of the code and of tests/ops/costs.json. The files and
// tests that the documents name exist.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const read = (file: string) => readFileSync(file, "utf8");

/** The text of a document in one line. */
const textOf = (document: string) => read(document).replace(/\s+/g, " ");

test("each_figure_in_a_document_is_the_constant_in_the_code", () => {
  let [document, count] = ["", 0];
  for (const line of read("tests/docs/figures.txt").split("\n")) {
    document = /^## (.*)/.exec(line)?.[1] ?? document;
    const parts = /^(.+) => (\S+) (\w+) = (.+)$/.exec(line);
    if (!parts) continue;
    const [, sentence = "", file = "", name = "", value] = parts;
    assert.ok(textOf(document).includes(sentence), `${document}: ${sentence}`);
    const [, found] = new RegExp(`\\bconst ${name}: [^=]+ = ([^;]+);`).exec(read(file)) ?? [];
    assert.equal(found, value, `${name} in ${file}, for "${sentence}" in ${document}`);
    count += 1;
  }
  assert.ok(count > 70, `${count} figures`);
});

test("the_routes_whose_rows_grow_with_the_table_are_those_of_scale_md", () => {
  const { routes, atScale } = JSON.parse(read("tests/ops/costs.json"));
  const [small, large] = [atScale["1000"], atScale["1000000"]];
  const growing = Object.keys(small).filter(
    (route) => large[route].rowsRead > 1.3 * small[route].rowsRead,
  );
  const count = (rows: number) => rows.toLocaleString("en");
  const rows = growing.map((route) => {
    const rejected = large[route].status === 422 ? ", then 422 `too-many-matches`" : "";
    const found = [small, large].map((costs) => count(costs[route].rowsRead));
    return `| \`${route.slice("GET ".length)}\` | ${found.join(" | ")}${rejected} |`;
  });
  const documented = read("docs/scale.md").match(/^\| `\/v1\/.*\|$/gm) ?? [];
  assert.deepEqual(documented.sort(), rows.sort());
  const person = 'POST /v1/people {"name":"New","isAlive":true,"placeId":1}';
  const imported = (small["POST /v1/people/import"].rowsWritten / 1000).toFixed(1);
  const sentence = `A new person writes ${small[person].rowsWritten} rows, and ${imported} in an import`;
  assert.ok(textOf("docs/scale.md").includes(sentence), sentence);

  type Route = { d1Calls: Record<string, number>; serviceCalls: Record<string, number> };
  const calls = (Object.values(routes) as Route[]).flatMap(({ d1Calls, serviceCalls }) =>
    Object.keys(d1Calls).map((worker) => (d1Calls[worker] ?? 0) + (serviceCalls[worker] ?? 0)),
  );
  const most = `each request in \`tests/ops/costs.json\` makes at most ${Math.max(...calls)}`;
  assert.ok(textOf("docs/operations.md").includes(most), most);
});

/** The alternatives of a path with braces. */
function expand(path: string): string[] {
  const [, before = "", alternatives, after = ""] = /^(.*?)\{([^{}]*)\}(.*)$/.exec(path) ?? [];
  if (alternatives === undefined) return [path];
  return alternatives.split(",").flatMap((one) => expand(before + one + after));
}

test("the_files_constants_and_tests_that_the_documents_name_exist", () => {
  /** The files that the instructions of a document create. */
  const created = [
    "d1-migrations/people/0002_person_title.sql",
    "workers/people/src/routes/oldest.rs",
  ];
  const folders = "crates|workers|tests|ops|bench|clients|d1-migrations|openapi|docs";
  const sources = globSync("{crates,workers,tests,d1-migrations}/**/*.{rs,ts,sql}", {
    exclude: (name) => ["build", "node_modules", "target"].includes(name),
  });
  const code = sources.map(read).join("\n");
  for (const document of [...globSync("docs/**/*.md"), "README.md", "CONTRIBUTING.md"]) {
    const text = read(document);
    for (const [, path = ""] of text.matchAll(new RegExp(`\`((?:${folders})/[^\`\\s]*)\``, "g"))) {
      if (/[…*]|NAME|ENV/.test(path)) continue;
      for (const file of expand(path)) {
        assert.ok(existsSync(file) || created.includes(file), `${document} names ${file}`);
      }
    }
    for (const [, name, file = ""] of text.matchAll(
      /`([A-Z][A-Z_]{3,})` in `([^`]+\/[^`]+\.rs)`/g,
    )) {
      assert.match(
        read(file),
        new RegExp(`\\bconst ${name}:`),
        `${document} names ${name} in ${file}`,
      );
    }
    // Names of tests and constraints have at least four words.
    for (const [, name = ""] of text.matchAll(/`([a-z0-9]+(?:_[a-z0-9]+){3,})`/g)) {
      assert.ok(code.includes(name), `${document} names ${name}`);
    }
  }
});
