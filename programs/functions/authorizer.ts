import type { FunctionDefinition } from "./function-definition.ts";

export const authorizer: FunctionDefinition = {
  description: "Decides whose bearer tokens are good",
  memoryMb: 256,
  timeoutSeconds: 10,
  environment: ({ spec: { serving } }) =>
    serving.jwt === undefined
      ? {}
      : { AIDLC_JWT_ISSUER: serving.jwt.issuer, AIDLC_JWT_AUDIENCE: serving.jwt.audience },
  // Fetches the issuer's keys.
  reachesInternet: true,
  keyUses: [],
  grants: () => [],
};
