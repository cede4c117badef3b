import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";

const Payload = (mode: "INPUT" | "OUTPUT") =>
  Type.Object({
    observedContentType: Type.Optional(Type.String()),
    mode: Type.Literal(mode),
    data: Type.String(),
    encoding: Type.Enum(["CSV", "JSON", "BASE64"]),
  });

/**
 * One request and its answer, as SageMaker's data capture writes them
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html): one such object a line. Fields that are not
 * named here are left alone.
 */
export const CaptureRecord = Type.Object({
  captureData: Type.Object({
    endpointInput: Payload("INPUT"),
    /** Absent where the model failed. */
    endpointOutput: Type.Optional(Payload("OUTPUT")),
  }),
  eventMetadata: Type.Object({
    eventId: Type.String({ minLength: 1 }),
    /** The caller's or the gate's name of the request, by which labels are joined. */
    inferenceId: Type.Optional(Type.String({ minLength: 1 })),
    /** ISO 8601, in UTC. */
    inferenceTime: Type.String({ minLength: 1 }),
    /** `name=value`; ours are `model-version=<number>`. */
    customAttributes: Type.Optional(Type.Array(Type.String())),
  }),
  eventVersion: Type.Literal("0"),
});

export type CaptureRecord = Static<typeof CaptureRecord>;

/** A body as it was sent or answered. */
export interface CapturedBody {
  readonly contentType: string;
  readonly text: string;
}

export interface Capture {
  readonly eventId: string;
  readonly inferenceId?: string;
  readonly at: Date;
  readonly input: CapturedBody;
  /** Absent where the model failed. */
  readonly output?: CapturedBody;
  /** Number of the model package that answered, where the writer knew it. */
  readonly modelVersion?: number;
}

/** Compiled, because there may be millions: interpreting the schema takes seventy times as long. */
const captureRecord = Compile(CaptureRecord);

const VERSION_ATTRIBUTE = "model-version=";

/** Text that is CSV or JSON stands as it is; anything else could not be read back and is base64. */
function encoded(mode: "INPUT" | "OUTPUT", { contentType, text }: CapturedBody) {
  const kind = contentType.split(";", 1)[0]?.trim().toLowerCase();
  const encoding = kind === "text/csv" ? "CSV" : kind === "application/json" ? "JSON" : "BASE64";
  const data = encoding === "BASE64" ? Buffer.from(text).toString("base64") : text;
  return { observedContentType: contentType, mode, data, encoding };
}

function decoded({
  observedContentType,
  data,
  encoding,
}: CaptureRecord["captureData"]["endpointInput" | "endpointOutput"] & object): CapturedBody {
  return {
    contentType: observedContentType ?? (encoding === "CSV" ? "text/csv" : "application/json"),
    text: encoding === "BASE64" ? Buffer.from(data, "base64").toString() : data,
  };
}

/** One line of a capture file, without its line end. */
export function captureLine({ eventId, inferenceId, at, input, output, modelVersion }: Capture): string {
  return JSON.stringify({
    captureData: {
      endpointInput: encoded("INPUT", input),
      ...(output && { endpointOutput: encoded("OUTPUT", output) }),
    },
    eventMetadata: {
      eventId,
      ...(inferenceId !== undefined && { inferenceId }),
      inferenceTime: at.toISOString(),
      ...(modelVersion !== undefined && { customAttributes: [`${VERSION_ATTRIBUTE}${modelVersion}`] }),
    },
    eventVersion: "0",
  });
}

/** The request and answer in one line of a capture file, or undefined where the line is none. */
export function parseCapture(line: string): Capture | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!captureRecord.Check(record)) return undefined;
  const { captureData, eventMetadata } = record;
  const at = new Date(eventMetadata.inferenceTime);
  if (Number.isNaN(at.getTime())) return undefined;
  const version = eventMetadata.customAttributes?.find((text) => text.startsWith(VERSION_ATTRIBUTE));
  const modelVersion = Number(version?.slice(VERSION_ATTRIBUTE.length) ?? Number.NaN);
  return {
    eventId: eventMetadata.eventId,
    ...(eventMetadata.inferenceId !== undefined && { inferenceId: eventMetadata.inferenceId }),
    at,
    input: decoded(captureData.endpointInput),
    ...(captureData.endpointOutput && { output: decoded(captureData.endpointOutput) }),
    ...(Number.isSafeInteger(modelVersion) && { modelVersion }),
  };
}
