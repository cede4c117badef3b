import { readFile } from "node:fs/promises";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { MonitorKind } from "../../programs/monitor-kinds.ts";
import { writeDocument } from "../runtime/documents.ts";
import type { ReadingCounts } from "./captured-requests.ts";
import type { Findings } from "./findings.ts";
import type { ModelInUse } from "./model-in-use.ts";
import { reportFolder } from "./progress.ts";
import type { Window } from "./window.ts";

interface Report {
  readonly kind: MonitorKind;
  readonly window: Window;
  readonly model: ModelInUse | undefined;
  readonly read: ReadingCounts;
  readonly findings: Findings;
}

/**
 * Writes a window's documents below `monitoring/<kind>/yyyy/mm/dd/hh/` of its end, and `report.json` last: where it stands, the report is
 * whole. The same window has the same report; S3 keeps a version of each that was written. Returns the place of `report.json`.
 */
export async function writeReport(s3: S3Client, bucket: string, report: Report): Promise<string> {
  const { kind, window, model, read, findings } = report;
  const folder = reportFolder(kind, window.to);
  for (const [name, document] of Object.entries(findings.documents)) {
    await writeDocument(s3, { bucket, key: `${folder}${name}` }, document);
  }
  for (const [name, path] of Object.entries(findings.files ?? {})) {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `${folder}${name}`,
        Body: await readFile(path),
        ChecksumAlgorithm: "SHA256",
      }),
    );
  }
  const key = `${folder}report.json`;
  await writeDocument(
    s3,
    { bucket, key },
    {
      version: 1,
      kind,
      from: window.from.toISOString(),
      to: window.to.toISOString(),
      modelPackageArn: model?.modelPackageArn,
      read,
      ...findings.summary,
      metrics: findings.metrics,
      problems: findings.problems,
    },
  );
  return `s3://${bucket}/${key}`;
}
