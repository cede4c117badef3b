import { fromKinds } from "../from-kinds.ts";
import { functionRole } from "../functions/function-role.ts";
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from "../functions/index.ts";
import { alerts } from "./alerts.ts";
import { backup, restore } from "./backup.ts";
import { ciCheck } from "./ci-check.ts";
import { cicd } from "./cicd.ts";
import { containment } from "./containment.ts";
import { dataLake } from "./data-lake.ts";
import { delivery } from "./delivery.ts";
import { drillActions, drills } from "./drills.ts";
import { etl } from "./etl.ts";
import { featureStore } from "./feature-store.ts";
import { incidents } from "./incidents.ts";
import { inference } from "./inference.ts";
import { launch } from "./launch.ts";
import { modelMonitor } from "./model-monitor.ts";
import { notebook } from "./notebook.ts";
import { orchestration } from "./orchestration.ts";
import { processing } from "./processing.ts";
import { releasing } from "./releasing.ts";
import { replication } from "./replication.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { rollout } from "./rollout.ts";
import { schedule } from "./schedule.ts";
import { starts } from "./starts.ts";
import { tracking } from "./tracking.ts";
import { training } from "./training.ts";
import { validationJob } from "./validation-job.ts";

const OTHERS = {
  alerts,
  backup,
  cicd,
  "ci-check": ciCheck,
  containment,
  delivery,
  "data-lake": dataLake,
  "drill-actions": drillActions,
  drills,
  etl,
  "feature-store": featureStore,
  incidents,
  inference,
  launch,
  "model-monitor": modelMonitor,
  notebook,
  orchestration,
  processing,
  releasing,
  replication,
  restore,
  rollout,
  schedule,
  starts,
  tracking,
  training,
  "validation-job": validationJob,
} satisfies Record<string, RoleDefinition>;

export type PipelineRole = keyof typeof OTHERS | FunctionName;

/** What each component of a pipeline may do; nothing is granted to two of them that only one needs. */
export const ROLES: Readonly<Record<PipelineRole, RoleDefinition>> = {
  ...OTHERS,
  ...fromKinds(FUNCTION_NAMES, (name) => functionRole(name, FUNCTIONS[name])),
};

export const PIPELINE_ROLES = Object.keys(ROLES) as PipelineRole[];
