// Finds Chromium for the browser tests. If it is run as a command, it also installs Chromium. For
// that, the user must be root, and the system must have apt-get.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const places = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The message if there is no Chromium. */
export const none =
  "Chromium was not found. Install it, set CHROMIUM_BIN to its path, or skip the browser tests with SKIP_BROWSER=1.";

/** The path of a Chromium that runs. */
export function find(): string | undefined {
  const chosen = process.env.CHROMIUM_BIN;
  const folders = (process.env.PATH ?? "").split(":");
  const inPath = names.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  const candidates = chosen ? [chosen] : [...inPath, ...places];
  // The file alone is not enough: Ubuntu's package is a script that needs a snap.
  return candidates.find((path) => existsSync(path) && runs(path, "--version"));
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function install(): void {
  const isChosen = Boolean(process.env.CHROMIUM_BIN);
  if (isChosen || process.getuid?.() !== 0 || !runs("apt-get", "--version")) return;
  console.log("» installing Chromium …");
  process.env.DEBIAN_FRONTEND = "noninteractive";
  runs("apt-get", "update");
  runs("apt-get", "install", "--yes", "--no-install-recommends", "chromium");
}

if (import.meta.main && !process.env.SKIP_BROWSER) {
  if (!find()) install();
  if (!find()) console.error(`» ${none}`);
}
