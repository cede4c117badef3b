export interface Cidr {
  readonly address: number;
  readonly prefix: number;
}

const PRIVATE_RANGES: readonly string[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

const mask = (prefix: number) => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);

/** Undefined unless `text` is an IPv4 network written with its network address, as AWS requires. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((octet) => octet > 255) || prefix > 32) return undefined;
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return (address & mask(prefix)) >>> 0 === address ? { address, prefix } : undefined;
}

export function formatCidr({ address, prefix }: Cidr): string {
  return `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")}/${prefix}`;
}

/** Whether the network lies within RFC 1918's private ranges. */
export function isPrivate(cidr: Cidr): boolean {
  return PRIVATE_RANGES.some((text) => {
    const range = parseCidr(text);
    return (
      range !== undefined &&
      cidr.prefix >= range.prefix &&
      (cidr.address & mask(range.prefix)) >>> 0 === range.address
    );
  });
}

/** The `index`-th subnet when the network is divided by `bits` further prefix bits. */
export function subnet(cidr: Cidr, bits: number, index: number): Cidr {
  const prefix = cidr.prefix + bits;
  return { address: (cidr.address + index * 2 ** (32 - prefix)) >>> 0, prefix };
}

/** Why a network of ours can't have this range; undefined when it can. */
export function rangeProblem(text: string): string | undefined {
  const range = parseCidr(text);
  if (range === undefined) {
    return `"${text}" is not an IPv4 network address with a prefix, as in 10.80.0.0/20`;
  }
  if (!isPrivate(range)) return "must lie within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
  // AWS allows smaller networks, but a quarter of them would hold few jobs.
  if (range.prefix < 16 || range.prefix > 24) return `prefix must be 16 to 24, not ${range.prefix}`;
  return undefined;
}
