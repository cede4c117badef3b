import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const require = createRequire(import.meta.url);
const packageRoot = dirname(require.resolve("@pulumi/aws/package.json"));
const schemaFolder = join(import.meta.dirname, "../src/sandbox/schema");

/** Property name → type, in the notation that src/sandbox/schema.ts reads; a name ending in `?` is optional. */
type Shape = Record<string, string>;

interface ResourceSchema {
  readonly inputs: Shape;
  /** Only what is not an input too. */
  readonly outputs: Shape;
  /** Properties whose value the provider marks as secret. */
  readonly secrets?: readonly string[];
}

interface Schema {
  readonly package: string;
  readonly provider: Shape;
  readonly types: Record<string, ResourceSchema>;
  readonly invokes: Record<string, { readonly inputs: Shape; readonly outputs: Shape }>;
  readonly objects: Record<string, Shape>;
  readonly enums: Record<string, readonly string[]>;
}

type Declarations = ReadonlyMap<string, ts.NodeArray<ts.TypeElement>>;

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, false);
}

/** Every interface of a file, by its name with the namespaces it stands in: `s3.BucketLogging`. */
function interfacesOf(file: ts.SourceFile): Declarations {
  const found = new Map<string, ts.NodeArray<ts.TypeElement>>();
  const visit = (statements: readonly ts.Statement[], prefix: string): void => {
    for (const statement of statements) {
      if (ts.isInterfaceDeclaration(statement)) found.set(prefix + statement.name.text, statement.members);
      if (ts.isModuleDeclaration(statement) && statement.body && ts.isModuleBlock(statement.body)) {
        visit(statement.body.statements, `${prefix}${statement.name.text}.`);
      }
    }
  };
  visit(file.statements, "");
  return found;
}

function entityName(name: ts.EntityName): string {
  return ts.isIdentifier(name) ? name.text : `${entityName(name.left)}.${name.right.text}`;
}

function isNestedTypeReference(node: ts.TypeNode): boolean {
  return ts.isTypeReferenceNode(node) && entityName(node.typeName).startsWith("inputs.");
}

/** Turns type nodes into the schema's notation and remembers which nested types and enumerations they name. */
class TypeReader {
  readonly wanted = new Set<string>();
  readonly wantedEnums = new Set<string>();

  read(node: ts.TypeNode): string {
    if (ts.isParenthesizedTypeNode(node)) return this.read(node.type);
    if (ts.isArrayTypeNode(node)) return `[${this.read(node.elementType)}]`;
    if (ts.isUnionTypeNode(node)) return this.#readUnion(node.types);
    if (ts.isTypeLiteralNode(node)) return this.#readMap(node);
    if (ts.isTypeReferenceNode(node)) return this.#readReference(node);
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) return "string";
    switch (node.kind) {
      case ts.SyntaxKind.StringKeyword:
        return "string";
      case ts.SyntaxKind.NumberKeyword:
        return "number";
      case ts.SyntaxKind.BooleanKeyword:
        return "boolean";
      case ts.SyntaxKind.AnyKeyword:
        return "any";
      default:
        throw new Error(`No notation for a type node of kind ${ts.SyntaxKind[node.kind]}`);
    }
  }

  #readUnion(nodes: readonly ts.TypeNode[]): string {
    const present = nodes.filter((node) => node.kind !== ts.SyntaxKind.UndefinedKeyword);
    // The bridge turns an object given for a document (IAM policies) into JSON text.
    if (present.length > 1 && present.some(isNestedTypeReference)) return "json";
    const distinct = [...new Set(present.map((node) => this.read(node)))];
    const [only] = distinct;
    if (distinct.length === 1 && only !== undefined) return only;
    const enumeration = distinct.find((part) => part.startsWith("%"));
    if (enumeration !== undefined && distinct.every((part) => part === "string" || part === enumeration)) {
      return enumeration;
    }
    if (distinct.every((part) => part === "asset")) return "asset";
    throw new Error(`No notation for the union ${distinct.join(" | ")}`);
  }

  #readMap(node: ts.TypeLiteralNode): string {
    const [member] = node.members;
    if (!member || !ts.isIndexSignatureDeclaration(member)) throw new Error("Expected an index signature");
    return `{${this.read(member.type)}}`;
  }

  #readReference(node: ts.TypeReferenceNode): string {
    const name = entityName(node.typeName);
    const [argument] = node.typeArguments ?? [];
    if (argument && /^pulumi\.(Input|Output)$/.test(name)) return this.read(argument);
    if (name.startsWith("pulumi.asset.")) return "asset";
    if (/^(inputs|outputs)\./.test(name)) {
      this.wanted.add(name);
      return `#${name}`;
    }
    if (name.startsWith("enums.")) {
      this.wantedEnums.add(name.slice("enums.".length));
      return `%${name.slice("enums.".length)}`;
    }
    // A resource class accepted in place of its id or ARN (`string | Role`), or the ARN alias.
    return "string";
  }
}

function shapeOf(members: readonly (ts.TypeElement | ts.ClassElement)[], reader: TypeReader): Shape {
  const entries: [string, string][] = [];
  for (const member of members) {
    if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) continue;
    if (!member.type || !(ts.isIdentifier(member.name) || ts.isStringLiteral(member.name))) continue;
    entries.push([member.name.text + (member.questionToken ? "?" : ""), reader.read(member.type)]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function findMembers(declarations: Declarations, name: string, path: string): ts.NodeArray<ts.TypeElement> {
  const members = declarations.get(name);
  if (!members) throw new Error(`${path} declares no interface ${name}`);
  return members;
}

/** The declarations are silent about secrets; the constructor beside them is not. */
function secretsOf(path: string): { secrets?: string[] } {
  const [, names] = /additionalSecretOutputs: (\[[^\]]*\])/.exec(readFileSync(path, "utf8")) ?? [];
  return names === undefined ? {} : { secrets: JSON.parse(names) };
}

function readResource(token: string, reader: TypeReader): ResourceSchema {
  const [, module = "", className = ""] = token.split(":");
  const path = join(packageRoot, `${module}.d.ts`);
  const file = parse(path);
  const inputs = shapeOf(findMembers(interfacesOf(file), `${className}Args`, path), reader);
  const declaration = file.statements.filter(ts.isClassDeclaration).find((s) => s.name?.text === className);
  if (!declaration) throw new Error(`${path} declares no class ${className}`);
  const inputNames = new Set(Object.keys(inputs).map((name) => name.replace("?", "")));
  const computed = declaration.members.filter(
    (member) => member.name && ts.isIdentifier(member.name) && !inputNames.has(member.name.text),
  );
  return { inputs, outputs: shapeOf(computed, reader), ...secretsOf(join(packageRoot, `${module}.js`)) };
}

function readInvoke(token: string, reader: TypeReader): { inputs: Shape; outputs: Shape } {
  const [, module = "", functionName = ""] = token.split(":");
  const path = join(packageRoot, `${module.replace(/^index\//, "")}.d.ts`);
  const declarations = interfacesOf(parse(path));
  const name = functionName.charAt(0).toUpperCase() + functionName.slice(1);
  const inputs = declarations.get(`${name}Args`) ?? [];
  return {
    inputs: shapeOf(inputs, reader),
    outputs: shapeOf(findMembers(declarations, `${name}Result`, path), reader),
  };
}

function readProvider(reader: TypeReader): Shape {
  const path = join(packageRoot, "provider.d.ts");
  return shapeOf(findMembers(interfacesOf(parse(path)), "ProviderArgs", path), reader);
}

/** Nested types name further nested types: follow them until none is new. */
function readObjects(reader: TypeReader): Record<string, Shape> {
  const sources: Record<string, Declarations> = {
    inputs: interfacesOf(parse(join(packageRoot, "types/input.d.ts"))),
    outputs: interfacesOf(parse(join(packageRoot, "types/output.d.ts"))),
  };
  const objects: Record<string, Shape> = {};
  // A Set iterates over what is added during the iteration.
  for (const name of reader.wanted) {
    const [side = "", ...rest] = name.split(".");
    objects[name] = shapeOf(findMembers(sources[side] ?? new Map(), rest.join("."), side), reader);
  }
  return sorted(objects);
}

async function readEnums(names: Iterable<string>): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const name of names) {
    const [module = "", enumName = ""] = name.split(".");
    const url = pathToFileURL(join(packageRoot, "types/enums", module, "index.js")).href;
    const declared: Record<string, Record<string, string>> = (await import(url)).default;
    found[name] = Object.values(declared[enumName] ?? {}).sort();
  }
  return sorted(found);
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One line per type: a change of the package shows as a readable diff, and the file stays small. */
function render(schema: Schema): string {
  const section = (record: Record<string, unknown>): string =>
    Object.entries(record)
      .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
      .join(",\n");
  const parts = Object.entries(schema).map(([name, value]) =>
    typeof value === "string" ? `"${name}":${JSON.stringify(value)}` : `"${name}":{\n${section(value)}\n}`,
  );
  return `{${parts.join(",\n")}}\n`;
}

const facts: { types: Record<string, unknown>; invokes: Record<string, unknown> } = JSON.parse(
  readFileSync(join(schemaFolder, "aws-facts.json"), "utf8"),
);
const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
const reader = new TypeReader();
const provider = readProvider(reader);
const types = Object.fromEntries(
  Object.keys(facts.types)
    .sort()
    .map((token) => [token, readResource(token, reader)]),
);
const invokes = Object.fromEntries(
  Object.keys(facts.invokes)
    .sort()
    .map((token) => [token, readInvoke(token, reader)]),
);
const objects = readObjects(reader);
const enums = await readEnums(reader.wantedEnums);
writeFileSync(
  join(schemaFolder, "aws.json"),
  render({ package: `@pulumi/aws ${version}`, provider, types, invokes, objects, enums }),
);
