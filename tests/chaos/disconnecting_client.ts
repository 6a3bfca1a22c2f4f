// A client that disconnects at a random moment during a share of its requests.
import { type ApiResponse, WorkerClient } from "../support/harness.ts";
import type { Random } from "../support/random.ts";

/** The latest moment of a disconnection, in milliseconds. Most requests take less. */
const MAX_DELAY_MS = 25;

export class DisconnectingClient extends WorkerClient {
  readonly #random: Random;
  readonly #share: number;
  /** The number of requests during which it has disconnected. */
  disconnections = 0;

  constructor(url: URL, random: Random, share: number) {
    super(url);
    [this.#random, this.#share] = [random, share];
  }

  override async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<ApiResponse> {
    if (!this.#random.chance(this.#share)) return super.request(method, path, headers, body);
    const signal = AbortSignal.timeout(Math.ceil(MAX_DELAY_MS * this.#random.next()));
    try {
      // An aborted fetch closes its connection.
      return await super.request(method, path, headers, body, signal);
    } catch (error) {
      this.disconnections += 1;
      throw error;
    }
  }
}
