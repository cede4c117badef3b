/** Stands where this release has no handler: whoever sent the event keeps it, and the error is counted. */
export async function handler() {
  throw new Error(
    "This release of the control plane has no code for this function: update the pipeline with a release that has it, then redrive the dead-letter queue",
  );
}
