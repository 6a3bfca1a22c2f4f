// The fields of people that the OpenAPI document declares. If a test does not set a nullable field
// of an expected person, the field is null. So a new nullable field needs no edit of the tests, and
// a response without the field still fails them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

type Schema = { type?: string | string[]; oneOf?: { type?: string }[] };
type RecordSchema = { properties: Record<string, Schema> };

const document = readFileSync(`${import.meta.dirname}/../../openapi/people.json`, "utf8");
const { Person, Resident }: Record<"Person" | "Resident", RecordSchema> =
  JSON.parse(document).components.schemas;

/** The fields of a person, which are also the columns of CSV. */
export const personFields = Object.keys(Person.properties);
/** The fields of a person in the list of a place. */
export const residentFields = Object.keys(Resident.properties);
/** The first line of a CSV file of people. */
export const peopleCsvHeader = personFields.join(",");

const isNullable = ({ type, oneOf }: Schema) =>
  type?.includes("null") || oneOf?.some((schema) => schema.type === "null");

/** Returns the person with all declared fields, in the order of the document. */
export function completePerson<T extends object>(person: T): T {
  const given = new Map(Object.entries(person));
  const fields = Object.entries(Person.properties).map(([field, schema]) => {
    assert.ok(given.has(field) || isNullable(schema), `the expected person has no ${field}`);
    return [field, given.get(field) ?? null];
  });
  for (const field of given.keys()) {
    assert.ok(field in Person.properties, `no person has a field ${field}`);
  }
  return Object.fromEntries(fields);
}

/** Returns a complete person with the fields that the list of a place shows. */
export function residentOf(person: object): Record<string, unknown> {
  const fields = new Map(Object.entries(person));
  return Object.fromEntries(residentFields.map((field) => [field, fields.get(field)]));
}
