import { existsSync, readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Bill, billOfMaterials, type Component, completed } from "../../../scripts/sbom/bill.ts";
import { copiesOf, readDockerfile } from "../dockerfile.ts";

const root = join(import.meta.dirname, "../../..");
const readJson = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
}

const manifest = { name: "service", dependencies: {}, devDependencies: {} };
const aComponent = (change: Partial<Component> = {}): Component => ({
  "bom-ref": "a@1.0.0",
  type: "library",
  name: "a",
  version: "1.0.0",
  purl: "pkg:npm/a@1.0.0",
  licenses: [{ license: { id: "MIT" } }],
  ...change,
});
const both = new Set(["a@1.0.0"]);
const aBill = (component: Component): Bill => ({
  metadata: { component: aComponent({ name: "folder" }) },
  components: [component],
  dependencies: [{ ref: "a@1.0.0", dependsOn: [] }],
});

describe("the bill of materials of this checkout", async () => {
  const bill = await billOfMaterials(root);
  const text = JSON.stringify(bill);

  it("is a CycloneDX document about the service", () => {
    expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: expect.stringMatching(/^1\.[5-9]$/) });
    const { name, version } = readJson("package.json");
    expect(bill.metadata.component).toMatchObject({ type: "application", name, version });
  });

  it("names every production dependency that is installed, of the locked version", () => {
    const packages = Object.entries<Locked>(readJson("package-lock.json").packages)
      .filter(([path, { dev }]) => path !== "" && dev !== true && existsSync(join(root, path)))
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`);
    expect(packages.length).toBeGreaterThan(100);
    const named = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
    expect(packages.filter((name) => !named.has(name))).toEqual([]);
  });

  it("names none twice, and no tool of development", () => {
    const all = bill.components.map((component) => component["bom-ref"]);
    expect(new Set(all).size).toBe(all.length);
    for (const tool of ["vitest", "@biomejs/biome", "fast-check"]) {
      expect(bill.components.map(({ name }) => name)).not.toContain(tool);
    }
  });

  it("names the licence of each", () => {
    for (const { name, licenses = [] } of bill.components) {
      const [first] = licenses;
      expect(first?.license?.id ?? first?.license?.name ?? first?.expression, name).toMatch(/\w/);
    }
  });

  it("names Node, the Pulumi CLI and the AWS plugin of the image", () => {
    const { dependencies, devDependencies } = readJson("package.json");
    const versions = bill.components.map(({ name, version }) => [name, version]);
    expect(versions).toContainEqual(["node", devDependencies.node]);
    expect(versions).toContainEqual(["pulumi", dependencies["@pulumi/pulumi"]]);
    expect(versions).toContainEqual(["pulumi-resource-aws", dependencies["@pulumi/aws"]]);
  });

  it("leads from the service to every component", () => {
    const next = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set([bill.metadata.component["bom-ref"]]);
    for (const ref of reached) for (const dependency of next.get(ref) ?? []) reached.add(dependency);
    expect(
      bill.components.map((component) => component["bom-ref"]).filter((ref) => !reached.has(ref)),
    ).toEqual([]);
  });

  it("tells nothing of the machine or the registry it was made with", () => {
    for (const trace of [root, homedir(), hostname(), "file:", "localhost"])
      expect(text).not.toContain(trace);
    expect(bill.components.flatMap(({ externalReferences = [] }) => externalReferences)).not.toContainEqual(
      expect.objectContaining({ type: "distribution" }),
    );
  });

  it("lies in the image, made from what is installed there", () => {
    const { stages } = readDockerfile(root);
    const [install, final] = [stages[0]!, stages.at(-1)!];
    expect(install.instructions.map(({ text: command }) => command)).toContain("node scripts/sbom/main.ts");
    expect(copiesOf(final).flatMap(({ sources }) => sources)).toContain("/app/sbom.cdx.json");
  });
});

describe("a bill of npm's", () => {
  it("loses where its packages were downloaded from, and nothing else", () => {
    const externalReferences = [
      { type: "distribution", url: "https://mirror.example.com/a.tgz" },
      { type: "vcs", url: "https://example.com/a.git" },
    ];
    const [component] = completed(aBill(aComponent({ externalReferences })), manifest, both).components;
    expect(component).toEqual(aComponent({ externalReferences: externalReferences.slice(1) }));
  });

  it("with a package of no licence is refused", () => {
    expect(() => completed(aBill(aComponent({ licenses: [] })), manifest, both)).toThrow(
      "a@1.0.0 names no licence",
    );
  });
});
