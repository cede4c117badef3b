import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensurePythonTool, type PythonTool } from "../../scripts/python-tool.ts";

let folder: string;
let tool: PythonTool;
let env: { PATH: string; XDG_CACHE_HOME: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aidlc-python-tool-"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "requirements.txt"), "checker==1.0.0\n");
  tool = {
    name: "checker",
    title: "the checker",
    requirements: pathToFileURL(join(folder, "requirements.txt")),
    python: "3.11",
  };
  env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, "cache") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A Python whose environments only note how they are called, and whose pip ends with this code. */
function pythonIs(pipCode: number): void {
  const inner = `#!/bin/sh\\necho "$@" >> ${join(folder, "calls")}\\nif [ "$2" = pip ]; then echo told by pip; exit ${pipCode}; fi\\n`;
  const script = `#!/bin/sh\nmkdir -p "$3/bin"\nprintf '${inner}' > "$3/bin/python"\nchmod +x "$3/bin/python"\n`;
  writeFileSync(join(folder, "bin", "python3"), script);
  chmodSync(join(folder, "bin", "python3"), 0o755);
}
const installations = () =>
  readFileSync(join(folder, "calls"), "utf8")
    .split("\n")
    .filter((call) => call.includes(" install "));

describe("a tool of Python", () => {
  it("is installed once for each list of versions, with nothing that isn't on the list", async () => {
    pythonIs(0);
    const python = await ensurePythonTool(tool, env);
    expect(existsSync(python)).toBe(true);
    expect(await ensurePythonTool(tool, env)).toBe(python);
    expect(installations()).toEqual([expect.stringMatching(/--no-deps --only-binary :all: -r /)]);
    writeFileSync(join(folder, "requirements.txt"), "checker==1.0.1\n");
    expect(await ensurePythonTool(tool, env)).not.toBe(python);
    expect(installations()).toHaveLength(2);
  });

  it("that can't be installed says what pip said and what it needs, and leaves nothing that looks installed", async () => {
    pythonIs(1);
    await expect(ensurePythonTool(tool, env)).rejects.toThrow(
      /told by pip\nthe checker needs Python 3\.11 or newer/,
    );
    pythonIs(0);
    expect(existsSync(await ensurePythonTool(tool, env))).toBe(true);
    expect(installations()).toHaveLength(2);
  });
});
