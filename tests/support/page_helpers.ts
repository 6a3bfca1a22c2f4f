// Requests pages as a browser does, and checks what every page has in common.
import assert from "node:assert/strict";
import type { ApiResponse, WorkerClient } from "./harness.ts";

/** The Accept header of a browser. */
export const ACCEPT_HTML = {
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
};
/** The headers of every page. */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** The heading of a page. */
export const titleOf = ({ text }: ApiResponse) => /<h1>(.*?)<\/h1>/.exec(text)?.[1];

export function assertPage(response: ApiResponse, status: number, path: string): void {
  const { vary: _, ...found } = response.headers;
  assert.deepEqual([response.status, found], [status, PAGE_HEADERS], path);
  assert.match(response.text, /^<!DOCTYPE html><html lang="en">.*<\/html>$/s, path);
}

/** Sends a form like a page of this site. */
export function sendForm(
  worker: WorkerClient,
  path: string,
  fields: Record<string, string>,
  moreHeaders: Record<string, string> = {},
): Promise<ApiResponse> {
  const type = "application/x-www-form-urlencoded";
  const ownHeaders = {
    origin: worker.url.origin,
    "content-type": type,
    ...ACCEPT_HTML,
    ...moreHeaders,
  };
  return worker.request("POST", path, ownHeaders, `${new URLSearchParams(fields)}`);
}

/** Sends a file like the import page. */
export function sendFile(worker: WorkerClient, fields: Record<string, string>): Promise<Response> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const { origin } = worker.url;
  return fetch(`${origin}/ui/import`, {
    method: "POST",
    headers: { origin, ...ACCEPT_HTML },
    body,
  });
}
