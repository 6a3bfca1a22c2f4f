// Substitutes for the public base images of the Dockerfile, for a machine without access to an
// image registry. They are built from Debian packages, the local Rust toolchain and the project's
// Node, under the names of the public images. Only the container test uses them.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { buildah, home, run } from "./buildah.ts";

/** The machine's CA certificates, so that builds in a container can reach package registries. */
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

type StandIn = { packages: string[]; file: string; put: (folder: string) => Promise<void> };

const standIns: Record<string, StandIn> = {
  node: {
    packages: [],
    file: `RUN useradd --create-home --uid 1000 node\n`,
    async put(folder) {
      const { stdout: npm } = await run("bash", ["-c", "realpath $(command -v npm)"]);
      const copies = { [process.execPath]: "usr/local/bin/node" };
      copies[join(npm.trim(), "../..")] = "usr/local/lib/node_modules/npm";
      for (const [from, to] of Object.entries(copies)) {
        cpSync(from, join(folder, "root", to), { recursive: true, dereference: true });
      }
    },
  },
  caddy: {
    packages: ["caddy", "ca-certificates"],
    file: "",
    async put() {},
  },
  rust: {
    packages: ["build-essential", "ca-certificates", "curl", "git", "libssl-dev", "pkg-config"],
    file: `ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo
ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV SSL_CERT_FILE=${CERTIFICATES} NPM_CONFIG_CAFILE=${CERTIFICATES}\n`,
    async put(folder) {
      const { stdout: sysroot } = await run("rustc", ["--print", "sysroot"]);
      const rustup = join(folder, "root/usr/local/rustup");
      const toolchain = sysroot.trim();
      const name = toolchain.split("/").at(-1) ?? "";
      cpSync(toolchain, join(rustup, "toolchains", name), {
        recursive: true,
        // The documentation is the largest part of a toolchain.
        filter: (path) => !path.includes("/share/doc"),
        verbatimSymlinks: true,
      });
      const settings = `version = "12"\ndefault_toolchain = "${name}"\nprofile = "minimal"\n`;
      writeFileSync(join(rustup, "settings.toml"), settings);
      const bin = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
      const to = join(folder, "root/usr/local/cargo/bin");
      cpSync(bin, to, { recursive: true, verbatimSymlinks: true });
      if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(folder, "root", CERTIFICATES));
    },
  },
};

async function make(image: string, { packages, file, put }: StandIn): Promise<void> {
  const folder = join(home, "stand-in");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "root"), { recursive: true });
  try {
    const include = packages.length ? [`--include=${packages.join(",")}`] : [];
    const tar = join(folder, "debian.tar");
    await run("mmdebstrap", ["--quiet", "--variant=minbase", ...include, "bookworm", tar]);
    await put(folder);
    const text = `FROM scratch\nADD debian.tar /\nCOPY root /\n${file}`;
    writeFileSync(join(folder, "Dockerfile"), text);
    await buildah("bud", "--isolation", "chroot", "--layers=false", "-t", image, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Provides a base image: a stored one, the public one, or else a substitute. */
export async function provide(name: string): Promise<void> {
  const image = `docker.io/library/${name}`;
  const isThere = (command: string[]) =>
    buildah(...command).then(
      () => true,
      () => false,
    );
  if (await isThere(["inspect", "--type", "image", image])) return;
  if (await isThere(["pull", "--quiet", image])) return;
  const standIn = standIns[name.split(":")[0] ?? ""];
  if (!standIn) throw new Error(`there is no ${image} and no substitute for it`);
  console.log(`» ${image} is not available: building a substitute …`);
  await make(image, standIn);
}
