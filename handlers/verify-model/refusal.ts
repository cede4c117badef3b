/** Why a version isn't released; Step Functions sees the code as the error's name. */
export type RefusalCode =
  | "ModelNotApproved"
  | "SignatureMissing"
  | "SignatureMalformed"
  | "SignatureOfAnotherModel"
  | "ManifestChanged"
  | "SignatureInvalid"
  | "ModelChanged"
  | "ImageChanged"
  | "ArtifactMissing"
  | "ArtifactReplaced"
  | "ArtifactSizeWrong"
  | "ArtifactChecksumWrong";

/** The message names the place that is wrong and what to do. */
export class Refusal extends Error {
  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = code;
  }
}
