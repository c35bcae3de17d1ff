import { describe, expect, it } from "vitest";
import { linkAbort } from "./linked-abort.ts";

describe("linkAbort", () => {
  it("follows its parent with the same reason, also one that had aborted before", () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);
    expect(link.signal.aborted).toBe(false);
    parent.abort("over");
    expect(link.signal.reason).toBe("over");
    expect(linkAbort(parent.signal).signal.reason).toBe("over");
  });

  it("aborts alone", () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);
    link.abort();
    expect([link.signal.aborted, parent.signal.aborted]).toEqual([true, false]);
  });

  it("hears nothing of its parent after it was released", () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);
    link.release();
    parent.abort();
    expect(link.signal.aborted).toBe(false);
  });
});
