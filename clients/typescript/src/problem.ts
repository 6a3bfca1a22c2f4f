import type { components } from "./api.ts";

/** What the API says of an error (RFC 9457), with the members of its kind. */
export type Problem = components["schemas"]["Problem"];

/** The kinds of problem there are, without the `/problems/` of their `type`. */
export type Kind = Problem["type"] extends `/problems/${infer Slug}` ? Slug : never;

/** An answer that is an error. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;
  readonly response: Response;

  constructor(problem: Problem, response: Response) {
    super(`${problem.title}. ${problem.detail}`);
    this.problem = problem;
    this.response = response;
  }

  /** Whether it is of one of these kinds: `error.is("place-has-king")`. */
  is(...kinds: Kind[]): boolean {
    return kinds.some((kind) => this.problem.type === `/problems/${kind}`);
  }

  /** The error that an answer is. What is no problem of the API is one of whoever stands
   * between. */
  static async of(response: Response): Promise<ProblemError> {
    const isProblem = response.headers.get("content-type") === "application/problem+json";
    const problem: Problem = isProblem
      ? ((await response.clone().json()) as Problem)
      : {
          type: "/problems/service-failed",
          title: "The answer is none of this API",
          status: response.status,
          detail: `${response.url} answered ${response.status}.`,
        };
    return new ProblemError(problem, response);
  }
}
