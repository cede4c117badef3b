import Type from "typebox";
import { singleLine } from "../http/app-types.ts";

export const Reason = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: singleLine,
  description: "Why, for the history, the audit trail and whoever asks later; no place for a credential",
});

/** The query parameter of every request that changes a pipeline and has no field of its own for it. */
export const ReasonQuery = { reason: Type.Optional(Reason) };
