// Finds the Chromium that shows the pages to the tests. Run by itself it sees to it that there
// is one, where it may install it: as root, on a Debian or a child of it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const places = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** What to do about it. */
export const none =
  "There is no Chromium that runs here. Install one, or name one in CHROMIUM_BIN; SKIP_BROWSER=1 leaves out what needs it.";

/** The path of one that runs. */
export function find(): string | undefined {
  const named = process.env.CHROMIUM_BIN;
  const folders = (process.env.PATH ?? "").split(":");
  const inPath = names.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  const candidates = named ? [named] : [...inPath, ...places];
  // A name alone proves nothing: Ubuntu's package is a script that asks for a snap.
  return candidates.find((path) => existsSync(path) && runs(path, "--version"));
}

function runs(command: string, ...given: string[]): boolean {
  return spawnSync(command, given, { stdio: "ignore" }).status === 0;
}

function install(): void {
  const isNamed = Boolean(process.env.CHROMIUM_BIN);
  if (isNamed || process.getuid?.() !== 0 || !runs("apt-get", "--version")) return;
  console.log("» installing Chromium …");
  process.env.DEBIAN_FRONTEND = "noninteractive";
  runs("apt-get", "update");
  runs("apt-get", "install", "--yes", "--no-install-recommends", "chromium");
}

if (import.meta.main && !process.env.SKIP_BROWSER) {
  if (!find()) install();
  if (!find()) console.error(`» ${none}`);
}
