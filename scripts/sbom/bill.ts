import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

interface Licensed {
  readonly license?: { readonly id?: string; readonly name?: string };
  readonly expression?: string;
}

export interface Component {
  readonly "bom-ref": string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly Licensed[];
  readonly externalReferences?: readonly { readonly type: string; readonly url: string }[];
}

/** A CycloneDX document, as far as it is touched here. */
export interface Bill {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

// Their package.json names no licence; the file LICENSE in the package does.
const unnamedLicenses: Readonly<Record<string, string>> = { "@logdna/tail-file": "MIT" };

interface Lock {
  /** By folder. */
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
}

/**
 * What the service consists of in production: the packages installed in `root`, and what its image holds besides. Throws for a
 * package without a licence.
 */
export async function billOfMaterials(root: string): Promise<Bill> {
  const read = async (file: string) => JSON.parse(await readFile(join(root, file), "utf8"));
  const [manifest, lock]: [Manifest, Lock] = await Promise.all([
    read("package.json"),
    read("package-lock.json"),
  ]);
  // Not with `--omit dev`, which loses what a tool of development needs as well; nor by the packages' own files, of which some
  // give a version that is none.
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--loglevel=error"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const inProduction = Object.entries(lock.packages)
    .filter(([folder, { dev }]) => folder !== "" && dev !== true && existsSync(join(root, folder)))
    .map(
      ([folder, { version }]) => `${folder.slice(folder.lastIndexOf(modules) + modules.length)}@${version}`,
    );
  return completed(JSON.parse(stdout) as Bill, manifest, new Set(inProduction));
}

const modules = "node_modules/";

/** npm's bill of the packages in production, without what tells of where it was made, and with what isn't a package of npm. */
export function completed(bill: Bill, manifest: Manifest, inProduction: ReadonlySet<string>): Bill {
  const own = bill.metadata.component;
  const others = besides(manifest);
  const kept = bill.components.filter((component) => inProduction.has(component["bom-ref"]));
  const isKept = (ref: string) => inProduction.has(ref);
  const edges = bill.dependencies.filter(({ ref }) => ref === own["bom-ref"] || isKept(ref));
  return {
    ...bill,
    metadata: {
      ...bill.metadata,
      // npm calls it by the folder it lies in.
      component: { ...withoutOrigin(own), type: "application", name: manifest.name },
    },
    components: [...kept, ...others].map(withoutOrigin).map(withLicense),
    dependencies: [
      ...edges.map(({ ref, dependsOn }) => ({
        ref,
        dependsOn: [...dependsOn.filter(isKept), ...(ref === own["bom-ref"] ? refs(others) : [])],
      })),
      ...refs(others).map((ref) => ({ ref, dependsOn: [] })),
    ],
  };
}

/** What runs the service and what it starts: of the versions that the image and the set-up take. */
function besides({ dependencies, devDependencies }: Manifest): Component[] {
  const programs = [
    { name: "node", version: devDependencies.node, purl: "pkg:generic/node@", license: "MIT" },
    {
      name: "pulumi",
      version: dependencies["@pulumi/pulumi"],
      purl: "pkg:golang/github.com/pulumi/pulumi/pkg/v3@v",
      license: "Apache-2.0",
    },
    {
      name: "pulumi-resource-aws",
      version: dependencies["@pulumi/aws"],
      purl: "pkg:golang/github.com/pulumi/pulumi-aws@v",
      license: "Apache-2.0",
    },
  ];
  return programs.map(({ name, version = "", purl, license }) => ({
    "bom-ref": `${name}@${version}`,
    type: name === "node" ? "platform" : "application",
    name,
    version,
    purl: `${purl}${version}`,
    licenses: [{ license: { id: license } }],
  }));
}

const refs = (components: readonly Component[]) => components.map((component) => component["bom-ref"]);

/** A mirror's address says where somebody builds and nothing about what is built. */
function withoutOrigin(component: Component): Component {
  const { externalReferences, ...rest } = component;
  if (externalReferences === undefined) return component;
  return { ...rest, externalReferences: externalReferences.filter(({ type }) => type !== "distribution") };
}

function withLicense(component: Component): Component {
  if ((component.licenses ?? []).length > 0) return component;
  const id = unnamedLicenses[component.name];
  if (id === undefined) {
    throw new Error(
      `${component["bom-ref"]} names no licence: look at it, and add it to ${import.meta.filename}`,
    );
  }
  return { ...component, licenses: [{ license: { id } }] };
}
