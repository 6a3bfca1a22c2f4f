// Takes the screenshots in docs/images, with the data of seed.sql and some later writes.
import { desktop, openSite, phone, type Visitor } from "../../tests/support/browser.ts";

const pictures: [string, Visitor, string][] = [
  ["overview", { ...desktop, theme: "light" }, "/"],
  ["overview-phone", { ...phone, theme: "dark" }, "/"],
  ["place", { ...desktop, theme: "light" }, "/ui/places/1"],
  ["compare", { ...desktop, theme: "dark" }, "/ui/compare"],
  ["people-phone", { ...phone, theme: "light" }, "/ui/people"],
];

const DAY = 86_400_000;

await using site = await openSite({ seed: true });
const { db, join } = site.system;
/** Makes all populations so far older, so that a chart has a history to show. */
const age = (days: number) =>
  db.people.rows(`UPDATE population_history SET at = at - ${days * DAY}`);
await age(12);
for (const [id, change] of [
  [1, { placeId: 3 }],
  [3, { isAlive: false, isKing: false }],
  [5, { placeId: 1 }],
  [7, { placeId: 1 }],
] as const) {
  await join.send("PATCH", `/v1/people/${id}`, change);
  await age(4);
}
for (const [name, visitor, path] of pictures) {
  await using visit = await site.visit(visitor);
  const page = await visit.go(path);
  await page.screenshot({ path: `docs/images/${name}.png` });
}
