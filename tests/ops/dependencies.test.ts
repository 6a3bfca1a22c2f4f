// What is depended on is what deny.toml allows: licences, sources, and one version of each.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";

type Crate = { name: string; version: string; license: string | null; source: string | null };

const rules = readFileSync("deny.toml", "utf8");
/** A list of deny.toml. */
function listed(name: string): string[] {
  const [, list = ""] = new RegExp(`^${name} = \\[([^\\]]*)\\]`, "m").exec(rules) ?? [];
  return [...list.matchAll(/"([^"]+)"/g)].map(([, item]) => item ?? "");
}

/** Whether an SPDX expression can be met with what is allowed. */
function isMet(expression: string, allowed: string[]): boolean {
  const tokens = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
  const atom = (): boolean => {
    const token = tokens.shift() ?? "";
    if (token !== "(") return allowed.includes(token);
    const inner = either();
    tokens.shift();
    return inner;
  };
  const both = (): boolean => {
    let met = atom();
    while (tokens[0] === "AND") {
      tokens.shift();
      met = atom() && met;
    }
    return met;
  };
  const either = (): boolean => {
    let met = both();
    while (tokens[0] === "OR") {
      tokens.shift();
      met = both() || met;
    }
    return met;
  };
  return either();
}

suite("the crates", () => {
  const command = ["metadata", "--format-version", "1", "--locked"];
  const text = execFileSync("cargo", command, { maxBuffer: 64 * 1024 * 1024 });
  const crates = (JSON.parse(text.toString()) as { packages: Crate[] }).packages;

  test("have licences that are allowed", () => {
    const allow = listed("allow");
    assert.ok(allow.length > 0 && crates.length > 50);
    const others = crates.filter(({ license }) => !isMet(license ?? "", allow));
    assert.deepEqual(
      others.map(({ name, license }) => `${name}: ${license}`),
      [],
    );
  });

  test("come from one registry, or are our own", () => {
    const [registry] = listed("allow-registry");
    const others = crates.filter(({ source }) => source && source !== `registry+${registry}`);
    assert.deepEqual(others, []);
    assert.ok(crates.filter(({ source }) => !source).length < 20);
  });

  test("are there in one version, but for those that are listed", () => {
    const isListed = ({ name, version }: Crate) =>
      listed("skip").some((one) => `${name}@${version}.`.startsWith(`${one}.`));
    const names = crates.filter((crate) => !isListed(crate)).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
    const known = crates.filter(isListed);
    assert.equal(known.length, listed("skip").length, "nothing is listed in vain");
  });
});

test("an SPDX expression is met by what is allowed", () => {
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
    assert.equal(isMet(expression, ["MIT", "Apache-2.0"]), expected, expression);
  }
});

test("the npm packages are what their checksums say, and what is shipped may be", () => {
  type Package = { integrity?: string; license?: string; dev?: boolean };
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const packages = Object.entries(lock.packages as Record<string, Package>).slice(1);
  assert.ok(packages.length > 50);
  for (const [path, { integrity }] of packages) assert.match(integrity ?? "", /^sha512-/, path);
  // In a container: Miniflare and what it needs, but for what the Dockerfile takes away.
  assert.match(readFileSync("Dockerfile", "utf8"), /rm -r node_modules\/sharp node_modules\/@img /);
  const inContainers = packages.filter(
    ([path, { dev }]) => !dev && !/^node_modules\/(sharp$|@img\/)/.test(path),
  );
  const shipped = inContainers.map(([path]) => path);
  assert.ok(shipped.includes("node_modules/miniflare") && shipped.length < 40, `${shipped}`);
  const allowed = ["MIT", "Apache-2.0", "ISC", "0BSD", "CC0-1.0"];
  for (const [path, { license }] of inContainers) assert.ok(allowed.includes(license ?? ""), path);
  // On the page that shows the document. Its licence goes along with it: workers/join/assets/docs.
  assert.equal(lock.packages["node_modules/swagger-ui-dist"].license, "Apache-2.0");
});
