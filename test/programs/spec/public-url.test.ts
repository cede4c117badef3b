import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { publicUrlProblem } from "../../../programs/spec/public-url.ts";

const isRefused = (url: string) => publicUrlProblem(url) !== undefined;

describe("an address that may be called", () => {
  it.each([
    "https://hooks.example.com",
    "https://hooks.example.com/services/T0/B0?x=1#y",
    "https://hooks.example.com:443/",
    "https://hooks.example.com:8443/a",
    "HTTPS://Hooks.Example.COM/",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
  ])("may be %s", (url) => {
    expect(publicUrlProblem(url)).toBeUndefined();
  });
});

describe("an address that may not be called", () => {
  it.each([
    ["is not an address", "example"],
    ["has no TLS", "http://hooks.example.com"],
    ["is of a file", "file:///etc/passwd"],
    ["is data", "data:text/plain,x"],
    ["has no host", "https:///etc/passwd"],
    ["has one slash, which a browser mends", "https:/hooks.example.com"],
    ["has none, which a browser mends", "https:hooks.example.com"],
    ["has backslashes, which a browser turns", "https:\\\\hooks.example.com"],
    ["hides its host behind a backslash", "https://hooks.example.com\\@10.0.0.1/"],
    ["carries a user", "https://me@hooks.example.com"],
    ["carries a password", "https://me:word@hooks.example.com"],
    ["carries an empty user", "https://@hooks.example.com"],
    ["shows another host before the sign", "https://hooks.example.com@10.0.0.1/"],
    ["begins with a space", " https://hooks.example.com"],
    ["holds a line break, which URL leaves out", "https://hooks.exam\nple.com"],
    ["holds a line break in its path", "https://hooks.example.com/a\r\nx: y"],
    ["holds a NUL", "https://hooks.example.com/\0"],
    ["holds look-alikes of digits", "https://①⑥⑨.254.169.254/"],
    ["holds a look-alike of a letter", "https://hooks.ехample.com/"],
    ["holds a look-alike of a dot", "https://127。0。0。1/"],
    ["uses the port of SSH", "https://hooks.example.com:22/"],
    ["uses a port of a database", "https://hooks.example.com:5432/"],
    ["is this machine", "https://localhost/"],
    ["is this machine, fully written", "https://localhost./"],
    ["is below this machine", "https://x.localhost/"],
    ["is another machine of the network", "https://printer/"],
    ["is of an office", "https://wiki.corp/"],
    ["is of a home", "https://nas.home.arpa/"],
    ["is of a link", "https://nas.local/"],
    ["is of a cloud's network", "https://ip-10-0-0-1.eu-central-1.compute.internal/"],
    ["is metadata by name", "https://metadata.google.internal/"],
    ["spells a private address", "https://10.0.0.1.nip.io/"],
    ["ends with a dot", "https://hooks.example.com./"],
    ["has an underscore", "https://my_host.example.com/"],
    ["has an empty label", "https://hooks..example.com/"],
    ["is private", "https://10.1.2.3/"],
    ["is private too", "https://172.31.255.255/"],
    ["is private as well", "https://192.168.0.1/"],
    ["is loopback", "https://127.0.0.1/"],
    ["is any loopback", "https://127.8.8.8/"],
    ["is metadata", "https://169.254.169.254/latest/meta-data/"],
    ["is credentials of containers", "https://169.254.170.2/"],
    ["is carrier-grade NAT", "https://100.64.0.1/"],
    ["is nobody", "https://0.0.0.0/"],
    ["is everybody", "https://255.255.255.255/"],
    ["is multicast", "https://224.0.0.1/"],
    ["is for benchmarks", "https://198.18.0.1/"],
    ["is for documents", "https://203.0.113.7/"],
    ["is reserved", "https://240.0.0.1/"],
    ["is a decimal number", "https://2130706433/"],
    ["is a hexadecimal number", "https://0x7f000001/"],
    ["has octal parts", "https://0177.0.0.1/"],
    ["has hexadecimal parts", "https://0x7f.0.0.1/"],
    ["is short", "https://127.1/"],
    ["is percent-encoded", "https://%31%32%37.0.0.1/"],
    ["is a public address in another form", "https://134744072/"],
    ["is loopback in IPv6", "https://[::1]/"],
    ["is nobody in IPv6", "https://[::]/"],
    ["maps IPv4", "https://[::ffff:127.0.0.1]/"],
    ["maps public IPv4", "https://[::ffff:8.8.8.8]/"],
    ["holds IPv4 in an old form", "https://[::127.0.0.1]/"],
    ["holds IPv4 in an old form and hexadecimal", "https://[::7f00:1]/"],
    ["is translated to IPv4", "https://[64:ff9b::a00:1]/"],
    ["is 6to4", "https://[2002:7f00:1::1]/"],
    ["is Teredo", "https://[2001::1]/"],
    ["is link-local in IPv6", "https://[fe80::1]/"],
    ["is metadata in IPv6", "https://[fd00:ec2::254]/"],
    ["is multicast in IPv6", "https://[ff02::1]/"],
    ["has a zone", "https://[fe80::1%25eth0]/"],
    ["is IPv6 written out", "https://[2606:4700:0:0:0:0:0:1111]/"],
  ])("%s", (_, url) => {
    expect(isRefused(url)).toBe(true);
  });
});

describe("every address", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const privateAddress = fc.oneof(
    fc.tuple(fc.constant(10), octet, octet, octet),
    fc.tuple(fc.constant(127), octet, octet, octet),
    fc.tuple(fc.constant(0), octet, octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
  );
  const part = (value: number) =>
    fc.constantFrom(String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`);
  const forms = privateAddress.chain(([a, b, c, d]) => {
    const number = ((a * 256 + b) * 256 + c) * 256 + d;
    const mapped = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    return fc.oneof(
      fc.tuple(part(a), part(b), part(c), part(d)).map((parts) => parts.join(".")),
      fc.tuple(part(a), part(number % 2 ** 24)).map((parts) => parts.join(".")),
      fc.constantFrom(String(number), `0x${number.toString(16)}`, `0${number.toString(8)}`),
      fc.constantFrom(`[::ffff:${mapped}]`, `[::${mapped}]`, `[64:ff9b::${mapped}]`, `[2002:${mapped}::]`),
    );
  });

  it("that stands for a private one is refused in whatever form it is written", () => {
    fc.assert(
      fc.property(forms, fc.constantFrom("", "/", "/a?b", ":443", ":8443/x"), (host, rest) => {
        expect(publicUrlProblem(`https://${host}${rest}`)).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it("that is accepted is called as it is read: by HTTPS, at the very host, without credentials", () => {
    const pieces = fc.constantFrom(
      ...[
        "https://",
        "//",
        "\\",
        "@",
        ":",
        "443",
        "/",
        "?",
        "#",
        ".",
        "a",
        "example",
        "com",
        "127.0.0.1",
        "[::1]",
      ],
      ...["%", "%2e", "\t", "\n", " ", "。", "localhost", "0x7f", "hooks.example.com", "8.8.8.8"],
    );
    const urls = fc.array(pieces, { maxLength: 8 }).map((all) => `https://${all.join("")}`);
    fc.assert(
      fc.property(
        fc.oneof(urls, fc.webUrl({ validSchemes: ["https"], withQueryParameters: true })),
        (url) => {
          if (isRefused(url)) return;
          const { protocol, hostname, username, password } = new URL(url);
          expect({ protocol, username, password }).toEqual({
            protocol: "https:",
            username: "",
            password: "",
          });
          expect(url.toLowerCase().slice("https://".length).startsWith(hostname)).toBe(true);
          expect(hostname).toMatch(/\.|:/);
          expect(hostname).not.toMatch(/^(127|10|0)(\.\d+){3}$|(^|\.)localhost$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("gets an answer, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(isRefused(text) || text.toLowerCase().startsWith("https://")).toBe(true);
      }),
    );
  });
});
