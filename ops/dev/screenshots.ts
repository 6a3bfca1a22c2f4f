// Takes the screenshots in docs/images, with the data of seed.sql.
import { desktop, openSite, phone, type Visitor } from "../../tests/support/browser.ts";

const pictures: [string, Visitor, string][] = [
  ["overview", { ...desktop, theme: "light" }, "/"],
  ["overview-phone", { ...phone, theme: "dark" }, "/"],
  ["place", { ...desktop, theme: "light" }, "/ui/places/1"],
];

await using site = await openSite({ seed: true });
for (const [name, visitor, path] of pictures) {
  await using visit = await site.visit(visitor);
  const page = await visit.go(path);
  await page.screenshot({ path: `docs/images/${name}.png` });
}
