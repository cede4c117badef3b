import { type ValidationRequest, validateData } from "../../handlers/dataset/validate-data.ts";

/** What the service asks of this process, once. */
export type FileValidation = Pick<ValidationRequest, "rules" | "baseline" | "workFolder"> & {
  readonly path: string;
};

/** Reading a file and counting its values keeps a thread busy: in a process of its own the service goes on answering. */
process.once("message", async (request: FileValidation) => {
  const { path, ...rest } = request;
  try {
    const validation = await validateData({ ...rest, data: { path }, now: new Date() });
    process.send?.({ validation }, () => process.disconnect());
  } catch (error) {
    process.send?.({ failure: (error as Error).message }, () => process.disconnect());
  }
});
