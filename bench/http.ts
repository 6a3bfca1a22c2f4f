// Finds the end of an HTTP/1.1 response and the size of its body. It parses nothing else, to save
// CPU time.

const endOfHead = Buffer.from("\r\n\r\n");

export class AnswerReader {
  status = 0;
  /** The bytes of the body so far. */
  size = 0;
  /** Whether the server closes the connection after this response. */
  closes = false;
  isWhole = false;

  #head: Buffer | undefined;
  #inBody = false;
  /** The missing bytes of the body, or of the current chunk with its line end. */
  #left = 0;
  #chunked = false;
  /** The part of a chunk's size line that has arrived. */
  #line = "";

  reset(): void {
    [this.status, this.size, this.#left, this.#line] = [0, 0, 0, ""];
    [this.closes, this.isWhole, this.#inBody, this.#chunked] = [false, false, false, false];
    this.#head = undefined;
  }

  /** A response without a length ends with the connection. */
  get endsWithConnection(): boolean {
    return this.#inBody && !this.#chunked && this.#left === Infinity;
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    if (!this.#inBody) {
      rest = this.#head ? Buffer.concat([this.#head, bytes]) : bytes;
      const end = rest.indexOf(endOfHead);
      if (end < 0) {
        // A copy, because the read buffer is reused.
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
        // After the last chunk, an empty line ends the response.
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
