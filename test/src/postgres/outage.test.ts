import type pg from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isToldAsOutage, tellOutages } from "../../../src/postgres/outage.ts";

const starting = Object.assign(new Error("the database system is starting up"), { code: "57P03" });

let away: boolean;
let lines: { level: number; msg: string; awayMs?: number }[];
let pool: pg.Pool;

beforeEach(() => {
  vi.useFakeTimers();
  away = true;
  lines = [];
  const query = async () => {
    if (away) throw starting;
  };
  pool = { ending: false, query } as unknown as pg.Pool;
  tellOutages(pool, pino({ level: "info" }, { write: (line) => void lines.push(JSON.parse(line)) }));
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a database that is away", () => {
  it("is told of once, however many find it away, and once when it is back", async () => {
    for (const code of ["57P01", "57P03", "ECONNREFUSED", "ECONNRESET"]) {
      expect(isToldAsOutage(pool, Object.assign(new Error(code), { code }))).toBe(true);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(isToldAsOutage(pool, new Error("Connection terminated unexpectedly"))).toBe(true);
    expect(lines.map(({ level }) => level)).toEqual([40]);
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines[1]).toMatchObject({ level: 30, msg: "the database is back", awayMs: expect.any(Number) });
    expect(lines[1]?.awayMs).toBeGreaterThanOrEqual(4_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(2);
  });

  it("is told of again when it goes away again", async () => {
    isToldAsOutage(pool, starting);
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    isToldAsOutage(pool, starting);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines.map(({ level }) => level)).toEqual([40, 30, 40, 30]);
  });

  it("is asked no more when the pool is being closed", async () => {
    isToldAsOutage(pool, starting);
    away = false;
    Object.assign(pool, { ending: true });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines.map(({ level }) => level)).toEqual([40]);
  });
});

describe("any other error", () => {
  it.each(["40001", "42P01", "53300", "ENOENT"])("%s is left to its caller", (code) => {
    expect(isToldAsOutage(pool, Object.assign(new Error(code), { code }))).toBe(false);
    expect(lines).toEqual([]);
  });
});
