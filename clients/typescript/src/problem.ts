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

  /** The error of a response. A response without a problem document comes from a proxy and
   * becomes `service-failed`. */
  static async from(response: Response): Promise<ProblemError> {
    const isProblem = response.headers.get("content-type") === "application/problem+json";
    const problem: Problem = isProblem
      ? ((await response.clone().json()) as Problem)
      : {
          type: "/problems/service-failed",
          title: "The response is not from this API",
          status: response.status,
          detail: `${response.url} responded with ${response.status}.`,
        };
    return new ProblemError(problem, response);
  }
}
