// Measures the cold start of a worker: its size, and the time in which V8 compiles and instantiates
// it. The measurement runs in Node.js, which also uses V8, because the clock of workerd stands
// still during a computation.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { median } from "./numbers.ts";

const root = resolve(import.meta.dirname, "..");

export type Startup = {
  wasm: number;
  /** The size of wasm and JavaScript. */
  gzip: number;
  compileMs: number;
  instantiateMs: number;
};

export function startup(worker: string): Startup {
  const folder = join(root, "workers", worker, "build");
  const wasm = readFileSync(join(folder, "index_bg.wasm"));
  const script = readFileSync(join(folder, "index.js"));
  const compile: number[] = [];
  const instantiate: number[] = [];
  for (let n = 0; n < 21; n += 1) {
    // V8 caches compiled modules by their bytes, so each module has another custom section.
    const fresh = Buffer.concat([wasm, Buffer.from([0, 2, 1, 65 + n])]);
    const begin = performance.now();
    const module = new WebAssembly.Module(fresh);
    const compiled = performance.now();
    new WebAssembly.Instance(module, imports(module));
    instantiate.push(performance.now() - compiled);
    compile.push(compiled - begin);
  }
  return {
    wasm: wasm.length,
    gzip: gzipSync(wasm).length + gzipSync(script).length,
    compileMs: median(compile),
    instantiateMs: median(instantiate),
  };
}

/** A placeholder for each import, because instantiation calls none of them. */
function imports(module: WebAssembly.Module): WebAssembly.Imports {
  const all: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    all[from] ??= {};
    // The tag of JavaScript exceptions, which TypeScript does not declare yet.
    all[from][name] = (kind as string) === "tag" ? Reflect.get(WebAssembly, "JSTag") : () => {};
  }
  return all;
}
