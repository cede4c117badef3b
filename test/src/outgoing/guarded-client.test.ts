import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GuardedClient, type GuardOptions } from "../../../src/outgoing/guarded-client.ts";

let server: Server;
let port: number;
let paths: string[];
let answer: (response: import("node:http").ServerResponse) => void;
const clients: GuardedClient[] = [];

beforeEach(async () => {
  paths = [];
  answer = (response) => response.end("taken");
  server = createServer((request, response) => {
    paths.push(`${request.headers.host} ${request.url}`);
    request.resume().on("end", () => answer(response));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as { port: number }).port;
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

function guarded(options: Partial<GuardOptions> = {}): GuardedClient {
  const client = new GuardedClient({ allowLocal: false, ...options });
  clients.push(client);
  return client;
}

/** A resolver that gives these addresses in turn, the last for ever; and how often it was asked. */
function resolver(...turns: readonly (readonly string[])[]) {
  let asked = 0;
  const resolve: GuardOptions["resolve"] = (_host, done) => {
    const addresses = turns[Math.min(asked, turns.length - 1)] as readonly string[];
    asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return { resolve, asked: () => asked };
}

const post = (client: GuardedClient, url: string) => client.post(url, { headers: {}, body: "{}" });

const hidden = [
  "127.0.0.1",
  "127.8.8.8",
  "0.0.0.0",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "169.254.170.2",
  "100.64.0.1",
  "192.0.0.192",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::7f00:1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "fe80::1",
  "fc00::1",
  "fd00:ec2::254",
  "ff02::1",
] as const;

describe("a name that stands for", () => {
  it.each(hidden)("%s is refused, and not told what it stands for", async (address) => {
    const { resolve, asked } = resolver([address]);
    await expect(post(guarded({ resolve }), "https://hooks.example.com/")).rejects.toThrow(
      /^"hooks\.example\.com" does not stand for an address of the public internet$/,
    );
    expect(asked()).toBe(1);
  });

  it("a public address and a private one is refused", async () => {
    for (const addresses of [
      ["203.0.114.1", "10.0.0.1"],
      ["10.0.0.1", "203.0.114.1"],
    ]) {
      const { resolve } = resolver(addresses);
      await expect(post(guarded({ resolve }), "https://hooks.example.com/")).rejects.toThrow(
        /public internet/,
      );
    }
  });

  it("another address at the second look is looked at once: what was checked is what is called", async () => {
    // Checked as this machine's, which the switch allows; asked again, it would be the metadata of a cloud.
    const { resolve, asked } = resolver(["127.0.0.1"], ["169.254.169.254"]);
    const client = guarded({ allowLocal: true, resolve });
    expect(await post(client, `http://rebinding.example.com:${port}/hook`)).toBe(200);
    expect(asked()).toBe(1);
    expect(paths).toEqual([`rebinding.example.com:${port} /hook`]);
  });

  it("a public address first and this machine next is refused as soon as it does", async () => {
    const { resolve } = resolver(["127.0.0.1"]);
    const client = guarded({ resolve });
    // Known to be good by its form when it was registered.
    expect(client.problemOf("https://rebinding.example.com/")).toBeUndefined();
    await expect(post(client, "https://rebinding.example.com/")).rejects.toThrow(/public internet/);
    expect(paths).toEqual([]);
  });

  it("nothing is said to be unknown", async () => {
    const resolve: GuardOptions["resolve"] = (_host, done) =>
      done(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }), []);
    await expect(post(guarded({ resolve }), "https://none.example.com/")).rejects.toThrow(
      "The host's name is not known",
    );
  });
});

describe("an address that is refused as it is written", () => {
  it.each([
    "http://hooks.example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:6379/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "https://hooks.example.com\\@127.0.0.1/",
  ])("is %s", async (url) => {
    const { resolve, asked } = resolver(["203.0.114.1"]);
    const client = guarded({ resolve });
    expect(client.problemOf(url)).toMatch(/./);
    await expect(post(client, url)).rejects.toThrow(/^The address /);
    expect(asked()).toBe(0);
  });
});

describe("with the switch for tests and development", () => {
  it("this machine can be called, and no other private address", async () => {
    const client = guarded({ allowLocal: true });
    expect(await post(client, `http://127.0.0.1:${port}/`)).toBe(200);
    for (const address of hidden.filter((one) => !/^(127|::1$|::ffff:127)/.test(one))) {
      const host = address.includes(":") ? `[${address}]` : address;
      await expect(post(client, `http://${host}:${port}/`), address).rejects.toThrow(/public internet/);
      const { resolve } = resolver([address]);
      const named = guarded({ allowLocal: true, resolve });
      await expect(post(named, `http://hooks.example.com:${port}/`), address).rejects.toThrow(
        /public internet/,
      );
    }
    expect(paths).toHaveLength(1);
  });
});

describe("an answer", () => {
  it("that points elsewhere is taken as it is", async () => {
    answer = (response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/second` }).end();
    expect(await post(guarded({ allowLocal: true }), `http://127.0.0.1:${port}/first`)).toBe(302);
    expect(paths).toEqual([`127.0.0.1:${port} /first`]);
  });

  it("without end is left after a while, its status known", async () => {
    answer = (response) => {
      response.writeHead(200);
      const more = () => {
        while (response.writable && response.write("x".repeat(16_384)));
      };
      response.on("drain", more).on("error", () => {});
      more();
    };
    expect(await post(guarded({ allowLocal: true }), `http://127.0.0.1:${port}/`)).toBe(200);
  });

  it("that never comes is given up", async () => {
    answer = () => {};
    const client = guarded({ allowLocal: true, timeoutMs: 200 });
    await expect(post(client, `http://127.0.0.1:${port}/`)).rejects.toThrow(
      "There was no answer within 0.2 s",
    );
  });

  it("of somebody without a certificate of the name is none", async () => {
    const { resolve } = resolver(["127.0.0.1"]);
    const client = guarded({ allowLocal: true, resolve });
    await expect(post(client, `https://hooks.example.com:${port}/`)).rejects.toThrow(/^The host/);
    expect(paths).toEqual([]);
  });
});
