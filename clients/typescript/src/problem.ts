import type { components } from "./api.ts";

/** A problem document (RFC 9457) of the API. */
export type Problem = components["schemas"]["Problem"];

/** The problem types, without the prefix `/problems/`. */
export type Kind = Problem["type"] extends `/problems/${infer Slug}` ? Slug : never;

/** An error response. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;
  readonly response: Response;

  constructor(problem: Problem, response: Response) {
    super(`${problem.title}. ${problem.detail}`);
    this.problem = problem;
    this.response = response;
  }

  /** Whether the problem has one of these types: `error.is("place-has-king")`. */
  is(...kinds: Kind[]): boolean {
    return kinds.some((kind) => this.problem.type === `/problems/${kind}`);
  }

  /** The error of a response to a method. A response without a problem document comes from a proxy,
   * or broke off, and becomes `service-failed`. The body is read to its end, because the connection is
   * free for another request only then. */
  static async from(response: Response, method: string): Promise<ProblemError> {
    const text = await response
      .clone()
      .text()
      .catch(() => "");
    const problem = parse(response, text) ?? {
      type: "/problems/service-failed",
      title: "The response has no problem document",
      status: response.status,
      detail: `${response.url} responded with ${response.status}.`,
      // Nobody knows what a service did before a proxy responded for it.
      ...(response.status >= 500 && !isRead(method) ? { outcome: "unknown" } : {}),
    };
    return new ProblemError(problem, response);
  }
}

/** Whether a method only reads. */
export function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** The problem document of a response, if it has a complete one. */
function parse(response: Response, text: string): Problem | undefined {
  const [mediaType] = (response.headers.get("content-type") ?? "").split(";");
  if (mediaType?.trim().toLowerCase() !== "application/problem+json") return undefined;
  try {
    const document = JSON.parse(text);
    return typeof document?.type === "string" ? document : undefined;
  } catch {
    return undefined;
  }
}
