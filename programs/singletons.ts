/**
 * What AWS has once per account and region, or shares between all of its users, and what may therefore have been there
 * before the foundation. Whatever exists is used as it is: never changed, never deleted, never in the stack.
 */
export const SINGLETONS = [
  "trail",
  "configRecorder",
  "configDeliveryChannel",
  "configServiceRole",
  "securityHub",
  "guardDuty",
  "accessAnalyzer",
  "apiGatewayRole",
  "registryScanning",
  "xrayEncryption",
  "catalogEncryption",
  "dataLakeSettings",
  "processingLogGroup",
  "trainingLogGroup",
] as const;

export type Singleton = (typeof SINGLETONS)[number];

/** Id or ARN of each singleton that the foundation uses as it is; whatever is absent is the foundation's own. */
export type Adopted = Partial<Readonly<Record<Singleton, string>>>;
