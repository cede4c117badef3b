import { architecturePolicies } from "./architecture.ts";
import { compliancePolicies } from "./compliance.ts";
import { jobPolicies } from "./deployment-jobs.ts";
import { releasePolicies } from "./deployment-release.ts";
import { servingPolicies } from "./deployment-serving.ts";
import { accessPolicies } from "./infrastructure-access.ts";
import { channelPolicies } from "./infrastructure-channels.ts";
import { runtimePolicies } from "./infrastructure-runtime.ts";
import { storagePolicies } from "./infrastructure-storage.ts";
import { learningPolicies } from "./learning.ts";
import type { Policy } from "./policy.ts";

/** Every policy, in the order of the life cycle. */
export const policies: readonly Policy[] = [
  ...architecturePolicies,
  ...storagePolicies,
  ...accessPolicies,
  ...channelPolicies,
  ...runtimePolicies,
  ...jobPolicies,
  ...servingPolicies,
  ...releasePolicies,
  ...learningPolicies,
  ...compliancePolicies,
];
