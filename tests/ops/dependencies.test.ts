// The dependencies comply with deny.toml: licences, sources, and one version of each crate.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";

type Crate = { name: string; version: string; license: string | null; source: string | null };

const rules = readFileSync("deny.toml", "utf8");
/** A list in deny.toml. */
function listFrom(name: string): string[] {
  const [, list = ""] = new RegExp(`^${name} = \\[([^\\]]*)\\]`, "m").exec(rules) ?? [];
  return [...list.matchAll(/"([^"]+)"/g)].map(([, item]) => item ?? "");
}

/** Whether allowed licences satisfy an SPDX expression. */
function isSatisfied(expression: string, allowed: string[]): boolean {
  const tokens = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
  const atom = (): boolean => {
    const token = tokens.shift() ?? "";
    if (token !== "(") return allowed.includes(token);
    const inner = either();
    tokens.shift();
    return inner;
  };
  const both = (): boolean => {
    let isTrue = atom();
    while (tokens[0] === "AND") {
      tokens.shift();
      isTrue = atom() && isTrue;
    }
    return isTrue;
  };
  const either = (): boolean => {
    let isTrue = both();
    while (tokens[0] === "OR") {
      tokens.shift();
      isTrue = both() || isTrue;
    }
    return isTrue;
  };
  return either();
}

suite("crates", () => {
  const command = ["metadata", "--format-version", "1", "--locked"];
  const text = execFileSync("cargo", command, { maxBuffer: 64 * 1024 * 1024 });
  const crates = (JSON.parse(text.toString()) as { packages: Crate[] }).packages;

  test("every_crate_has_an_allowed_licence", () => {
    const allow = listFrom("allow");
    assert.ok(allow.length > 0 && crates.length > 50);
    const unexpected = crates.filter(({ license }) => !isSatisfied(license ?? "", allow));
    assert.deepEqual(
      unexpected.map(({ name, license }) => `${name}: ${license}`),
      [],
    );
  });

  test("every_crate_comes_from_the_registry_or_this_repository", () => {
    const [registry] = listFrom("allow-registry");
    const unexpected = crates.filter(({ source }) => source && source !== `registry+${registry}`);
    assert.deepEqual(unexpected, []);
    assert.ok(crates.filter(({ source }) => !source).length < 20);
  });

  test("every_crate_has_one_version_except_the_listed_ones", () => {
    const isListed = ({ name, version }: Crate) =>
      listFrom("skip").some((one) => `${name}@${version}.`.startsWith(`${one}.`));
    const names = crates.filter((crate) => !isListed(crate)).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
    const exceptions = crates.filter(isListed);
    assert.equal(
      exceptions.length,
      listFrom("skip").length,
      "every exception in deny.toml is needed",
    );
  });
});

test("an_spdx_expression_is_matched_with_the_allowed_licences", () => {
  for (const [expression, expected] of [
    ["MIT", true],
    ["GPL-3.0", false],
    ["GPL-3.0 OR MIT", true],
    ["MIT AND GPL-3.0", false],
    ["MIT/Apache-2.0", true],
    ["(GPL-3.0 OR MIT) AND Zlib", false],
    ["(GPL-3.0 OR MIT) AND Apache-2.0", true],
    ["GPL-3.0 AND MIT OR Apache-2.0", true],
    ["", false],
  ] as const) {
    assert.equal(isSatisfied(expression, ["MIT", "Apache-2.0"]), expected, expression);
  }
});

test("every_npm_package_has_a_checksum_and_shipped_ones_have_an_allowed_licence", () => {
  type Package = { integrity?: string; license?: string; dev?: boolean };
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const packages = Object.entries(lock.packages as Record<string, Package>).slice(1);
  assert.ok(packages.length > 50);
  for (const [path, { integrity }] of packages) assert.match(integrity ?? "", /^sha512-/, path);
  // Images contain Miniflare and its dependencies, except those that the Dockerfile removes.
  assert.match(readFileSync("Dockerfile", "utf8"), /rm -r node_modules\/sharp node_modules\/@img /);
  const shippedPackages = packages.filter(
    ([path, { dev }]) => !dev && !/^node_modules\/(sharp$|@img\/)/.test(path),
  );
  const shipped = shippedPackages.map(([path]) => path);
  assert.ok(shipped.includes("node_modules/miniflare") && shipped.length < 40, `${shipped}`);
  const allowed = ["MIT", "Apache-2.0", "ISC", "0BSD", "CC0-1.0"];
  for (const [path, { license }] of shippedPackages)
    assert.ok(allowed.includes(license ?? ""), path);
  // Swagger UI is served by the gateway, with its licence in workers/join/assets/docs.
  assert.equal(lock.packages["node_modules/swagger-ui-dist"].license, "Apache-2.0");
});
