import { describe, expect, it } from "vitest";
import { hostIdentityFrom } from "./host-identity.ts";
import type { InterfaceAddress } from "./host-identity.ts";

const info = (address: string, mac: string, internal = false): InterfaceAddress => ({
  address,
  mac,
  internal,
  family: "IPv4",
});
const interfaces = {
  lo: [info("127.0.0.1", "00:00:00:00:00:00", true)],
  eth0: [info("10.1.1.1", "aa")],
  eth1: [info("10.2.2.2", "bb")],
};

describe("hostIdentityFrom", () => {
  it.each([
    { host: "10.2.2.2", expected: { ip: "10.2.2.2", mac: "bb" } },
    { host: "0.0.0.0", expected: { ip: "10.1.1.1", mac: "aa" } },
    { host: "127.0.0.1", expected: { ip: "10.1.1.1", mac: "aa" } },
  ])("names the interface of $host", ({ host, expected }) =>
    expect(hostIdentityFrom(interfaces, host)).toEqual(expected),
  );

  it("falls back to loopback, and to the host when there is nothing", () => {
    expect(hostIdentityFrom({ lo: interfaces.lo }, "127.0.0.1")).toEqual({ ip: "127.0.0.1", mac: "00:00:00:00:00:00" });
    expect(hostIdentityFrom({}, "1.2.3.4")).toEqual({ ip: "1.2.3.4", mac: "" });
  });
});
