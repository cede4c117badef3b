import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCidr, isPrivate, parseCidr, subnet } from "../../programs/cidr.ts";

describe("address ranges", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
        const network = formatCidr({
          address: prefix === 0 ? 0 : ((address >>> (32 - prefix)) << (32 - prefix)) >>> 0,
          prefix,
        });
        expect(formatCidr(parseCidr(network)!)).toBe(network);
      }),
    );
  });

  it.each(["10.0.0.1/16", "10.0.0.0", "10.0.0.0/33", "256.0.0.0/8", "ten/8", "10.0.0.0/8/8"])(
    "refuse %s",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  it("know the private ranges by both of their ends", () => {
    const privates = ["10.0.0.0/8", "10.255.255.0/24", "172.16.0.0/12", "172.31.0.0/16", "192.168.0.0/16"];
    const publics = [
      "11.0.0.0/8",
      "172.15.0.0/16",
      "172.32.0.0/16",
      "192.169.0.0/16",
      "8.0.0.0/6",
      "100.64.0.0/16",
    ];
    expect(privates.filter((text) => isPrivate(parseCidr(text)!))).toEqual(privates);
    expect(publics.filter((text) => isPrivate(parseCidr(text)!))).toEqual([]);
  });

  it("divide into subnets that do not overlap", () => {
    const network = parseCidr("10.80.0.0/20")!;
    expect([0, 1, 2, 3].map((index) => formatCidr(subnet(network, 2, index)))).toEqual([
      "10.80.0.0/22",
      "10.80.4.0/22",
      "10.80.8.0/22",
      "10.80.12.0/22",
    ]);
  });
});
