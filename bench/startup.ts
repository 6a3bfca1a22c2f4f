// What a cold start takes of each worker: how much is loaded, and how long V8 compiles and
// instantiates it. Node has the same engine as workerd, and a clock that moves meanwhile.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { median } from "./numbers.ts";

const root = resolve(import.meta.dirname, "..");

export type Startup = {
  wasm: number;
  /** Of wasm and JavaScript together. */
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
    // V8 knows a module again by its bytes: a custom section that differs makes it new.
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

/** Something for each import: instantiating calls none of them. */
function imports(module: WebAssembly.Module): WebAssembly.Imports {
  const all: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    all[from] ??= {};
    // The tag of what JavaScript throws: V8 has it, TypeScript does not know yet.
    all[from][name] = (kind as string) === "tag" ? Reflect.get(WebAssembly, "JSTag") : () => {};
  }
  return all;
}
