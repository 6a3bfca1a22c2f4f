// Finds where an answer of HTTP/1.1 ends, and how long its body is. Nothing else is read.

const endOfHead = Buffer.from("\r\n\r\n");

export class AnswerReader {
  status = 0;
  /** Bytes of the body so far. */
  size = 0;
  /** Whether the server closes the connection behind this answer. */
  closes = false;
  isWhole = false;

  #head: Buffer | undefined;
  #inBody = false;
  /** Bytes of the body, or of the present chunk with its line end, that are still to come. */
  #left = 0;
  #chunked = false;
  /** The line before a chunk, as far as it is here. */
  #line = "";

  reset(): void {
    [this.status, this.size, this.#left, this.#line] = [0, 0, 0, ""];
    [this.closes, this.isWhole, this.#inBody, this.#chunked] = [false, false, false, false];
    this.#head = undefined;
  }

  /** An answer without a length is whole when the connection ends. */
  get endsWithConnection(): boolean {
    return this.#inBody && !this.#chunked && this.#left === Infinity;
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    if (!this.#inBody) {
      rest = this.#head ? Buffer.concat([this.#head, bytes]) : bytes;
      const end = rest.indexOf(endOfHead);
      if (end < 0) {
        // A copy: the reader's memory is used again.
        this.#head = Buffer.from(rest);
        return;
      }
      this.#readHead(rest.toString("latin1", 0, end).toLowerCase());
      rest = rest.subarray(end + endOfHead.length);
    }
    if (this.#chunked) this.#readChunks(rest);
    else {
      this.size += rest.length;
      this.#left -= rest.length;
      this.isWhole = this.#left <= 0;
    }
  }

  #readHead(head: string): void {
    this.#inBody = true;
    this.status = Number(head.slice(9, 12));
    this.closes = head.includes("\r\nconnection: close");
    this.#chunked = head.includes("\r\ntransfer-encoding: chunked");
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    const isEmpty = this.status === 204 || this.status === 304;
    if (isEmpty) this.#left = 0;
    else if (length !== undefined) this.#left = Number(length);
    else if (!this.#chunked) [this.#left, this.closes] = [Infinity, true];
    if (isEmpty) this.#chunked = false;
  }

  #readChunks(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isWhole) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at);
        at += taken;
        this.#left -= taken;
        continue;
      }
      const end = bytes.indexOf(10, at);
      this.#line += bytes.toString("latin1", at, end < 0 ? bytes.length : end);
      if (end < 0) return;
      at = end + 1;
      const line = this.#line.trim();
      this.#line = "";
      if (this.status < 0) {
        // Behind the last chunk: an empty line ends the answer.
        if (line === "") [this.isWhole, this.status] = [true, -this.status];
      } else {
        const size = Number.parseInt(line, 16);
        this.size += size;
        if (size > 0) this.#left = size + 2;
        else this.status = -this.status;
      }
    }
  }
}
