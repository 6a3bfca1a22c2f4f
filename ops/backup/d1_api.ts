// Sends queries to deployed databases through Cloudflare's API, which runs them like those of a
// worker. `wrangler d1 export` would block all other queries of the database, and it rejects
// virtual tables.
import { setTimeout as sleep } from "node:timers/promises";
import { Failed, json, wrangler } from "../deploy/wrangler.ts";
import type { Row } from "./stores.ts";

const MAX_ATTEMPTS = 6;

/** The period of the API's rate limit, in milliseconds. A longer `Retry-After` has another cause. */
const MAX_WAIT = 5 * 60_000;

type Result = { results: Row[]; meta: { size_after: number } };

/** The credentials that wrangler uses, from the environment or from `wrangler login`. */
async function credentials(): Promise<Record<string, string>> {
  const setting = process.env.CLOUDFLARE_API_TOKEN;
  if (setting) return { authorization: `Bearer ${setting}` };
  const found = json(await wrangler(["auth", "token", "--json"]));
  return found.type === "api_key"
    ? { "x-auth-key": found.key, "x-auth-email": found.email }
    : { authorization: `Bearer ${found.token}` };
}

/** The id of the account, which is needed only if the token belongs to several. */
async function accountId(): Promise<string> {
  const setting = process.env.CLOUDFLARE_ACCOUNT_ID;
  if (setting) return setting;
  const { accounts }: { accounts: { id: string }[] } = json(await wrangler(["whoami", "--json"]));
  const [account, ...others] = accounts;
  if (!account || others.length > 0)
    throw new Failed("set CLOUDFLARE_ACCOUNT_ID to the account of the databases");
  return account.id;
}

/** The milliseconds until the next attempt. `Retry-After` is a number of seconds or a date. */
function delay(retryAfter: string | null, attempt: number): number {
  const value = retryAfter ?? "";
  const asked = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Math.max(500 * 2 ** attempt, asked || 0);
}

export class D1Api {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  private constructor(url: string, headers: Record<string, string>) {
    this.#url = url;
    this.#headers = headers;
  }

  static async open(): Promise<D1Api> {
    const base = process.env.CLOUDFLARE_API_BASE_URL || "https://api.cloudflare.com/client/v4";
    const url = `${base}/accounts/${await accountId()}/d1/database`;
    return new D1Api(url, { ...(await credentials()), "content-type": "application/json" });
  }

  /** The rows of one statement that only reads. */
  async read(database: string, sql: string): Promise<Row[]> {
    return (await this.#run(database, sql)).results;
  }

  /** The size of a database in bytes. */
  async size(database: string): Promise<number> {
    return (await this.#run(database, "SELECT 1")).meta.size_after;
  }

  /** Runs one statement that only reads. So it can be repeated, if the API limits the rate of its
   * requests or fails. */
  async #run(database: string, sql: string): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const { status, text, retryAfter } = await this.#send(database, sql);
      if (status === 200) return JSON.parse(text).result[0];
      const isTemporary = status === 0 || status === 429 || status >= 500;
      const milliseconds = delay(retryAfter, attempt);
      if (!isTemporary || attempt === MAX_ATTEMPTS || milliseconds > MAX_WAIT)
        throw new Failed(`the API of D1 responded ${status}: ${text.slice(0, 300)}`);
      await sleep(milliseconds);
    }
  }

  /** Sends a statement once. The status is 0 if the network fails, also within the body. */
  async #send(database: string, sql: string) {
    try {
      const response = await fetch(`${this.#url}/${database}/query`, {
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify({ sql }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      return { status: response.status, text, retryAfter: response.headers.get("retry-after") };
    } catch (error) {
      const { message, cause } = error as Error;
      return { status: 0, text: String(cause ?? message), retryAfter: null };
    }
  }
}
