// Compares the size of each deployed database with the limits of the platform.
import { D1Api } from "../../ops/backup/d1_api.ts";
import { deployedName, type Environment } from "../../ops/deploy/config.ts";
import { databases } from "../../ops/deploy/wrangler.ts";

/** The largest database, in MB (https://developers.cloudflare.com/d1/platform/limits/). */
const MAX_MB = { Free: 500, Paid: 10_000 };

/** One line per database of an environment. */
export async function databaseSizes(environment: Environment): Promise<string[]> {
  const api = await D1Api.open();
  const ids = await databases(environment);
  const line = async ([name, id]: [Parameters<typeof deployedName>[0], string]) => {
    const megabytes = (await api.size(id)) / 1e6;
    const shares = Object.entries(MAX_MB).map(([plan, limit]) => {
      const share = ((100 * megabytes) / limit).toFixed(1);
      return `${share} % of the ${limit.toLocaleString("en")} MB of the ${plan} plan`;
    });
    return `${deployedName(name, environment)}: ${megabytes.toFixed(2)} MB, ${shares.join(", ")}`;
  };
  return Promise.all([...ids].map(line));
}
