// The location of an environment's databases, and the data centre near which the backends run.

/** D1's location hints, each with the region for `[placement]`. A hint is a part of a continent, so
 * the region is near the database, not in the same building. */
export const regions = {
  wnam: "gcp:us-west1",
  enam: "gcp:us-east4",
  weur: "gcp:europe-west1",
  eeur: "gcp:europe-central2",
  apac: "gcp:asia-southeast1",
  oc: "gcp:australia-southeast1",
};
export type Location = keyof typeof regions;

/** The location of the setting `LOCATION`, if it is valid. */
export function locationOf(setting: string | undefined): Location | undefined {
  const location = setting || "weur";
  return location in regions ? (location as Location) : undefined;
}

/** The message for an invalid location. */
export const expectedLocation = `LOCATION is one of ${Object.keys(regions).join(", ")}`;
