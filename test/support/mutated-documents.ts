import fc from "fast-check";

type Container = Record<string, unknown> | unknown[];

/** A value in a document, by what holds it. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/** Names that mean something to JavaScript, to JSON pointers, to YAML or to people who read them. */
const hostileKey = fc.oneof(
  fc.constantFrom(
    ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON", "length"],
    ...["", "/", "~", "~1", "a/b", "<<", "0", "-1", " ", "\n", "\u202e", "ＡＰＩ", "é", "e\u0301", "👩‍🔬"],
  ),
  fc.string(),
  fc.string({ unit: "binary" }),
);

const limits = [
  ...[0, -0, -1, 0.1, -0.1, 1e-7, 5e-324, 1e21, 1e308, Number.MAX_VALUE],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, -(2 ** 31), -(2 ** 63)],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

/** Long texts that make a pattern with two ways through them try all of them. */
const tiresome = fc
  .tuple(
    fc.constantFrom("a", "a-", "a.", "-", " ", "0", "*,", "cron(", "a@", "\\", "9/", "é"),
    fc.integer({ min: 1, max: 20_000 }),
    fc.constantFrom("", "!", "\n", "@", ")"),
  )
  .map(([piece, times, end]) => `${piece.repeat(times)}${end}`);

const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...limits, null, true, false, "", [], {}),
  fc.double(),
  fc.string({ unit: "binary" }),
  tiresome,
  hostileKey,
  fc.jsonValue({ maxDepth: 3 }),
  // An own key, as JSON.parse makes it of the text.
  fc.constant(JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": 1}}}')),
);

const lengths = [1, 2, 31, 32, 33, 63, 64, 65, 100, 128, 200, 253, 254, 255, 256, 257, 512, 1_024, 2_048];

/** What may still have the right form, so that the rules that come after the form get something to judge. */
const similar = fc
  .tuple(
    fc.constantFrom(...lengths),
    fc.constantFrom("a", "0", "Ä", "ß", "İ", " ", "-", ".", "\u0301"),
    fc.double(),
    fc.nat(100),
  )
  .map(([length, character, factor, item]) => (value: unknown): unknown => {
    if (typeof value === "string") return value.slice(0, length).padEnd(length, character);
    if (typeof value === "number") return item % 2 === 0 ? value * factor : Math.round(value) + item - 50;
    if (typeof value === "boolean") return !value;
    return Array.isArray(value) ? [...value, value[item % value.length]] : value;
  });

type Change = (place: Place, other: Place) => void;

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>(({ container, key }) => {
    if (Array.isArray(container)) container.splice(Number(key), 1);
    else delete container[key];
  }),
  hostileValue.map<Change>((value) => (place) => put(place, structuredClone(value))),
  {
    arbitrary: similar.map<Change>((alter) => (place) => put(place, structuredClone(alter(at(place))))),
    weight: 6,
  },
  hostileKey.map<Change>(
    (name) =>
      ({ container, key }) =>
        put({ container, key: name }, at({ container, key })),
  ),
  fc.tuple(hostileKey, hostileValue).map<Change>(([name, value]) => ({ container }) => {
    if (Array.isArray(container)) container.push(structuredClone(value));
    else put({ container, key: name }, structuredClone(value));
  }),
  fc.tuple(fc.integer({ min: 1, max: 80 }), fc.boolean()).map<Change>(([levels, inArrays]) => (place) => {
    let value = at(place);
    for (let level = 0; level < levels; level++) value = inArrays ? [value] : { value };
    put(place, value);
  }),
  fc.integer({ min: 2, max: 300 }).map<Change>((times) => (place) => {
    put(
      place,
      Array.from({ length: times }, () => structuredClone(at(place))),
    );
  }),
  fc.constant<Change>((place, other) => put(place, structuredClone(at(other)))),
);

/** Documents that differ from one of the given ones in some places: gone, of another type, nested, renamed, far too large. */
export function mutated(documents: readonly unknown[]): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(), change), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.constantFrom(...documents), changes).map(([document, all]) => {
    // In something that holds it, so that the whole of it can change as well.
    const holder = [structuredClone(document)];
    for (const [index, otherIndex, apply] of all) {
      const places = placesOf(holder);
      const [place, other] = [places[index % places.length], places[otherIndex % places.length]];
      if (place !== undefined && other !== undefined) apply(place, other);
    }
    return holder[0];
  });
}

const oddities = [
  ...[
    "&a [*a, *a]",
    "*a",
    "<<: *a",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!js/function x",
    "!<x> y",
  ],
  ...[
    "%YAML 1.1\n---\n",
    "---\n",
    "...\n",
    "? a\n: b\n",
    "|\n  a\n",
    ">-\n  a\n",
    "\t",
    "#",
    "\ufeff",
    "\u2028",
  ],
  ...[
    "\\u0000",
    "\\ud800",
    "\0",
    "}",
    "]",
    '"',
    "'",
    "{",
    "[",
    ",",
    ":",
    ": ",
    "- ",
    "\r\n",
    "\u0085",
    "0x1F",
    "1e999",
  ],
];

/** Texts that were cut, doubled and mixed with what has a meaning in YAML and JSON. */
export function mangled(texts: readonly string[]): fc.Arbitrary<string> {
  const cut = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 200 }));
  const insert = fc.oneof(
    fc.constantFrom(...oddities),
    fc.string({ unit: "binary" }),
    cut.map(
      ([from, length]) =>
        (text: string) =>
          text.slice(from % (text.length + 1)).slice(0, length),
    ),
  );
  const edits = fc.array(fc.tuple(cut, insert), { minLength: 1, maxLength: 6 });
  return fc.tuple(fc.constantFrom(...texts), edits).map(([original, all]) =>
    all.reduce((text, [[from, length], piece]) => {
      const start = from % (text.length + 1);
      const inserted = typeof piece === "string" ? piece : piece(text);
      return text.slice(0, start) + inserted + text.slice(start + length);
    }, original),
  );
}

function placesOf(root: Container): Place[] {
  const places: Place[] = [];
  const rest: Container[] = [root];
  for (let container = rest.pop(); container !== undefined; container = rest.pop()) {
    for (const key of Object.keys(container)) {
      places.push({ container, key });
      const value = at({ container, key });
      if (typeof value === "object" && value !== null) rest.push(value as Container);
    }
  }
  return places;
}

function at({ container, key }: Place): unknown {
  return Object.getOwnPropertyDescriptor(container, key)?.value;
}

/** Defined rather than assigned, so that __proto__ is a key like any other. */
function put({ container, key }: Place, value: unknown): void {
  if (Array.isArray(container) && !/^\d+$/.test(key)) container.push(value);
  else Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}
