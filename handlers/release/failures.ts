/** The release machine asks again for a task that throws this: what it started takes minutes. */
export class NotYet extends Error {
  override readonly name = "NotYet";
}

export type FailureCode =
  /** The version may not be released, or can't be. */
  | "VersionRefused"
  /** Another release or a rollback took this one's place. */
  | "Superseded"
  /** AWS could not bring the version up or shift traffic to it. */
  | "DeploymentFailed"
  /** The version answers wrongly, too slowly or not at all. */
  | "TestsFailed"
  /** An alarm or a person took the release back, or the version fails under traffic. */
  | "Condemned"
  /** There is no recorded release to go back to, or it can't be brought back. */
  | "NoWayBack";

/** Ends a task: Step Functions shows the code as the error's name, and goes back. */
export class ReleaseFailed extends Error {
  override readonly name: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
  }
}
