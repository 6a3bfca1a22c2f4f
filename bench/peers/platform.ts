// The types of the platform's APIs that the peers use.

export interface D1Statement {
  bind(...values: unknown[]): D1Statement;
  first<T>(): Promise<T | null>;
  all<T>(): Promise<{ results: T[] }>;
  raw<T extends unknown[]>(): Promise<T[]>;
  run(): Promise<unknown>;
}

export interface D1Database {
  prepare(sql: string): D1Statement;
  batch<T>(statements: D1Statement[]): Promise<{ results: T[] }[]>;
}

export interface Service {
  fetch(request: Request | string): Promise<Response>;
}
