import type { PipelineNames } from "../../names.ts";

/** AWS WAF takes no log group whose name begins otherwise. */
export const webAclLogGroup = (names: PipelineNames, part: string) => `aws-waf-logs-${names.named(part)}`;
