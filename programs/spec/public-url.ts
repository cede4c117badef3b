import ipaddr from "ipaddr.js";

const PORTS = ["", "443", "8443"];

// Names of machines and private networks, not of the internet: RFC 6761, 6762, 8375, 9476, and what clouds and offices use.
const PRIVATE_SUFFIXES = [
  ...[
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "svc",
  ],
  ...["test", "invalid", "onion", "alt"],
  // Public names that stand for whichever address they spell, or for this machine.
  ...["nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me"],
];

const HOST_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * Why an address is not one of the public internet that may be called, or undefined. It looks at the address only: what a name
 * stands for is known, and must be checked again, where it is called.
 */
export function publicUrlProblem(text: string): string | undefined {
  if (!/^https:\/\/[^/]/i.test(text) || !URL.canParse(text)) return "must be an https:// address";
  // URL leaves out tabs and line breaks, turns backslashes and maps look-alikes to ASCII: what is read would not be what is called.
  if (!/^[!-~]+$/.test(text) || text.includes("\\")) {
    return "must be printable ASCII without spaces and backslashes: percent-encode the rest, and write hosts in Punycode";
  }
  const url = new URL(text);
  if (/@/.test(authorityOf(text))) return "must not carry a user name or password";
  if (!PORTS.includes(url.port)) return `must use port 443 or 8443, not ${url.port}`;
  return hostProblem(url.hostname, authorityOf(text).replace(/:\d*$/, "").toLowerCase());
}

/** What stands between the slashes: user, host and port. */
function authorityOf(text: string): string {
  return /^https:\/\/([^/?#]*)/i.exec(text)?.[1] ?? "";
}

function hostProblem(host: string, written: string): string | undefined {
  // Numbers, octal or hexadecimal parts and percent-encodings stand for an address that isn't the one to be seen.
  if (host !== written) return `must name its host as "${host}", not in another form`;
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (ipaddr.isValid(address)) {
    return isPublicAddress(address) ? undefined : `must be a public address, which ${address} is not`;
  }
  const suffix = PRIVATE_SUFFIXES.find((name) => host === name || host.endsWith(`.${name}`));
  if (suffix !== undefined) return `must be on the public internet, where no name ends with ".${suffix}"`;
  return HOST_NAME.test(host) ? undefined : `"${host}" is not a full host name of the public internet`;
}

/**
 * Whether an IP address is one of the public internet's: neither private, loopback, link-local (where clouds keep their metadata),
 * carrier-grade NAT, multicast nor reserved, and no IPv6 form of such an address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  // IANA gave out nothing else of IPv6 so far; "::7f00:1" is an old form of 127.0.0.1.
  return parsed.kind() === "ipv4" || parsed.match(ipaddr.parseCIDR("2000::/3"));
}
