import { describe, expect, it } from "vitest";
import { ErrorCode, ErrorCodeSchema } from "../gen/suda/v1/error_pb";
import { en } from "./en";
import { ko } from "./ko";

describe("the texts", () => {
  it("are the same in number in both languages, and none is empty", () => {
    expect(Object.keys(ko)).toEqual(Object.keys(en));
    for (const text of [...Object.values(ko), ...Object.values(en)]) expect(text).not.toBe("");
  });

  it("have words for every error that a person can meet", () => {
    // What only a faulty program could cause has the general sentence.
    const technical = ["UNSPECIFIED", "UNKNOWN_COMMAND", "NOT_CONNECTED", "ALREADY_CONNECTED", "INVALID_ID"];
    const names = ErrorCodeSchema.values
      .filter((value) => !technical.includes(ErrorCode[value.number]!))
      .map((value) => ErrorCode[value.number]!.toLowerCase());
    expect(names.length).toBeGreaterThan(15);
    for (const texts of [ko, en]) expect(Object.keys(texts.errors)).toEqual(expect.arrayContaining(names));
  });

  it("tell the server's bound in both languages, where it comes with one", () => {
    for (const texts of [ko, en]) {
      expect(texts.errorsOfLimit.text_too_long?.(16_384)).toContain("16384");
    }
    expect(Object.keys(ko.errorsOfLimit)).toEqual(Object.keys(en.errorsOfLimit));
  });
});
