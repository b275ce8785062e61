import { describe, expect, it } from "vitest";
import { uuid } from "./uuid";

describe("an id", () => {
  it("is a UUID of version 7 that begins with the time", () => {
    const id = uuid(0x01994c1d2e3f);
    expect(id).toMatch(/^01994c1d-2e3f-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("grows with time, and differs from another of the same moment", () => {
    expect(uuid(1_700_000_000_000) < uuid(1_700_000_000_001)).toBe(true);
    expect(uuid(5)).not.toBe(uuid(5));
  });
});
