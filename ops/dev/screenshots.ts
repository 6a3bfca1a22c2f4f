// Takes the screenshots in docs/images, with the data of seed.sql.
import { desk, open, phone, type Visitor } from "../../tests/support/browser.ts";

const pictures: [string, Visitor, string][] = [
  ["overview", { ...desk, theme: "light" }, "/"],
  ["overview-phone", { ...phone, theme: "dark" }, "/"],
  ["place", { ...desk, theme: "light" }, "/ui/places/1"],
];

await using site = await open({ seed: true });
for (const [name, visitor, path] of pictures) {
  await using visit = await site.visit(visitor);
  const page = await visit.go(path);
  await page.screenshot({ path: `docs/images/${name}.png` });
}
