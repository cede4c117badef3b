import { randomBytes } from "node:crypto";

interface Form {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Secrets that stand nowhere else, and the search for them. */
export class PlantedSecrets {
  readonly #forms: Form[] = [];
  // What a run leaves behind has hundreds of megabytes, and there are a thousand forms to look for: by their first three bytes.
  readonly #beginnings = new Uint8Array(2 ** 24);
  readonly #byBeginning = new Map<number, Form[]>();

  /** A secret that nothing tells from other text: only who got it where can know that it is one. */
  plant(name: string): string {
    return this.add(name, `pL4nt3d${randomBytes(12).toString("hex")}`);
  }

  /** One that somebody else made; `part` is what of it is looked for, where not all of it is secret. */
  add(name: string, value: string, part = value): string {
    for (const text of formsOf(part)) {
      const form = { name, bytes: Buffer.from(text) };
      const beginning = form.bytes.readUIntBE(0, 3);
      this.#forms.push(form);
      this.#beginnings[beginning] = 1;
      this.#byBeginning.set(beginning, [...(this.#byBeginning.get(beginning) ?? []), form]);
    }
    return value;
  }

  get names(): string[] {
    return [...new Set(this.#forms.map(({ name }) => name))];
  }

  /** Which of them it holds: as they are, in Base64 (also amid other text), in hexadecimal, or with escapes of URLs or JSON. */
  in(content: Buffer): string[] {
    const found = new Set<string>();
    let last = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
    for (let end = 2; end < content.length; end++) {
      last = ((last << 8) | (content[end] ?? 0)) & 0xff_ff_ff;
      if (this.#beginnings[last] === 0) continue;
      for (const { name, bytes } of this.#byBeginning.get(last) ?? []) {
        if (bytes.compare(content, end - 2, Math.min(end - 2 + bytes.length, content.length)) === 0)
          found.add(name);
      }
    }
    return [...found];
  }
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const encoded = [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // The first and last characters depend on what stands beside.
    const middle = padded.slice(offset === 0 ? 0 : offset + 1, -1);
    return [middle, middle.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [
    ...new Set([
      value,
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      bytes.toString("hex"),
      ...encoded,
    ]),
  ];
}

const letters = (count: number, alphabet: string) =>
  Array.from(randomBytes(count), (byte) => alphabet[byte % alphabet.length]).join("");
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Credentials that anybody would know for what they are, wherever they meet them. */
export const credentials = {
  awsKeyId: () => `AKIA${letters(16, upper)}`,
  gitHubToken: () => `ghp_${letters(36, word)}`,
  slackToken: () => `xoxb-${letters(24, word)}`,
  webToken: () => `eyJ${letters(20, word)}.eyJ${letters(40, word)}.${letters(43, word)}`,
  privateKey: () => `-----BEGIN PRIVATE KEY-----\n${letters(64, word)}\n-----END PRIVATE KEY-----`,
} as const;
