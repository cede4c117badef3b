import { stringify } from "yaml";
import type { RepositoryKind } from "../names.ts";

/**
 * Tools of the builds, pinned: a build of the same source bundle gives the same answer. All come from PyPI, which the
 * builds reach anyway; a scanner from elsewhere would need a checksum of its own here.
 */
const TOOLS = { "pip-audit": "2.10.1", "detect-secrets": "1.5.0", pytest: "9.2.0" } as const;

const PYTHON = "3.12";

/** Amazon Linux 2023 with Docker, the AWS CLI, jq, Python and Node.js. */
export const BUILD_IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0";

/** Worst findings that a base image may have: a critical or high one has a fixed version far more often than not. */
const REFUSED_SEVERITIES = ["CRITICAL", "HIGH"] as const;

interface Phase {
  readonly commands: readonly string[];
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html */
export interface Buildspec {
  readonly version: 0.2;
  readonly env?: {
    readonly shell?: "bash";
  };
  readonly phases: {
    readonly install?: Phase & { readonly "runtime-versions"?: Readonly<Record<string, string>> };
    readonly pre_build?: Phase;
    readonly build: Phase;
    readonly post_build?: Phase;
  };
  readonly reports?: Readonly<
    Record<
      string,
      { readonly files: readonly string[]; readonly "base-directory": string; readonly "file-format": string }
    >
  >;
}

/** Lines stay whole: a folded command would still run, but its place in the log would be wrong. */
export const buildspecText = (spec: Buildspec): string => stringify(spec, { lineWidth: 0 });

const install = (...tools: (keyof typeof TOOLS)[]) => ({
  "runtime-versions": { python: PYTHON },
  commands: [`python -m pip install --quiet ${tools.map((tool) => `${tool}==${TOOLS[tool]}`).join(" ")}`],
});

/** In a shell of its own, which ends at the first failure; all commands of a build share one otherwise. */
const script = (...lines: readonly string[]) =>
  ["(", ...["set -euo pipefail", ...lines].map((line) => `  ${line}`), ")"].join("\n");

const SECRETS = script(
  // The scanner accepts a baseline only from version control, which a bundle has left behind.
  "git init --quiet .",
  "git add --all",
  // A team accepts a false alarm by committing it to the baseline, where a reviewer sees it.
  "baseline=()",
  "if test -f .secrets.baseline; then baseline=(--baseline .secrets.baseline); fi",
  "git ls-files -z -- ':!:*package-lock.json' ':!:.secrets.baseline' |",
  `  xargs --null detect-secrets-hook "\${baseline[@]}"`,
);

const eachFile = (pattern: string, command: string) =>
  script("shopt -s nullglob globstar", `for file in ${pattern}; do`, `  ${command}`, "done");

/** Credentials in the source, and known vulnerabilities in what it depends on. */
export function scanBuildspec(): Buildspec {
  return {
    version: 0.2,
    env: { shell: "bash" },
    phases: {
      install: install("pip-audit", "detect-secrets"),
      build: {
        commands: [
          SECRETS,
          eachFile("**/requirements*.txt", 'pip-audit --strict --progress-spinner off --requirement "$file"'),
          eachFile("**/package-lock.json", '(cd "$(dirname "$file")" && npm audit --audit-level=high)'),
        ],
      },
    },
  };
}

/** The team's own tests; code without tests is refused. */
export function testBuildspec(reportGroupArn: string): Buildspec {
  return {
    version: 0.2,
    env: { shell: "bash" },
    phases: {
      install: install("pytest"),
      build: {
        commands: [
          script(
            'test -d tests || { echo "The source bundle has no folder tests: nothing is released untested" >&2; exit 1; }',
            "shopt -s nullglob",
            'for file in requirements.txt tests/requirements.txt; do if test -f "$file"; then python -m pip install --quiet --requirement "$file"; fi; done',
            "python -m pytest --junitxml=reports/tests.xml tests",
          ),
        ],
      },
    },
    reports: {
      [reportGroupArn]: { files: ["*.xml"], "base-directory": "reports", "file-format": "JUNITXML" },
    },
  };
}

/** SageMaker and Lambda take one manifest for one platform, no index with attestations. */
const BUILD_OPTIONS = "--platform linux/amd64 --provenance=false";

const buildImage = (kind: RepositoryKind) =>
  script(
    `image="$REGISTRY/$REPOSITORIES/${kind}:$IMAGE_TAG"`,
    // Tags never move: a repeated build finds its image in place.
    `if aws ecr describe-images --repository-name "$REPOSITORIES/${kind}" --image-ids imageTag="$IMAGE_TAG" > /dev/null 2>&1; then exit 0; fi`,
    `docker build ${BUILD_OPTIONS} --file ${kind}/Dockerfile --tag "$image" .`,
    'docker push --quiet "$image"',
  );

const gateImage = (kind: RepositoryKind) =>
  script(
    "status=PENDING",
    "for attempt in $(seq 60); do",
    `  status=$(aws ecr describe-image-scan-findings --repository-name "$REPOSITORIES/${kind}" --image-id imageTag="$IMAGE_TAG" --query imageScanStatus.status --output text || echo PENDING)`,
    // Enhanced scanning goes on watching an image, and calls that ACTIVE.
    '  case "$status" in COMPLETE|ACTIVE|FAILED|UNSUPPORTED_IMAGE) break;; esac',
    "  sleep 10",
    "done",
    `case "$status" in COMPLETE|ACTIVE) ;; *) echo "The scan of the ${kind} image did not end: $status" >&2; exit 1;; esac`,
    `aws ecr describe-image-scan-findings --repository-name "$REPOSITORIES/${kind}" --image-id imageTag="$IMAGE_TAG" --query imageScanFindings.findingSeverityCounts --output json > /tmp/${kind}.json`,
    `cat /tmp/${kind}.json`,
    `jq -e '[(. // {})[${REFUSED_SEVERITIES.map((severity) => `"${severity}"`).join(", ")}] // 0] | add == 0' /tmp/${kind}.json > /dev/null || { echo "The ${kind} image has findings that are ${REFUSED_SEVERITIES.join(" or ")}" >&2; exit 1; }`,
  );

/** Builds the images, pushes them under the bundle's version and waits for what the registry's scan finds. */
export function imageBuildspec(kinds: readonly RepositoryKind[]): Buildspec {
  return {
    version: 0.2,
    env: { shell: "bash" },
    phases: {
      pre_build: {
        commands: [
          script('aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"'),
        ],
      },
      build: { commands: kinds.map(buildImage) },
      post_build: {
        // CodeBuild goes on to here after a failed build, which has pushed nothing to wait for.
        commands: [script('test "$CODEBUILD_BUILD_SUCCEEDING" = 1'), ...kinds.map(gateImage)],
      },
    },
  };
}
