type Limiter = { limit: number; period: 10 | 60 };

/** The platform's limiter for the setting `RATE_LIMIT`, which the gateway announces to clients.
 * `undefined` without the setting. */
export function limiterOf(setting: string | undefined): Limiter | undefined {
  if (!setting) return undefined;
  const [, limit, period] = /^([1-9]\d{0,8})\/(10|60)$/.exec(setting) ?? [];
  if (!limit) throw new Error("RATE_LIMIT must be requests per 10 or 60 seconds, such as 1200/60");
  return { limit: Number(limit), period: period === "10" ? 10 : 60 };
}
