import type { PipelineSpec } from "../spec.ts";
import { pointer, type SpecProblem } from "./problem.ts";
import { publicUrlProblem } from "./public-url.ts";
import { scalingScheduleProblem } from "./scaling-schedule.ts";

type Serving = PipelineSpec["serving"];

const at = (...keys: readonly (string | number)[]) => pointer("serving", ...keys);

function* authProblems({ auth, jwt }: Serving): Iterable<SpecProblem> {
  if (auth === "iam") {
    if (jwt !== undefined) yield { path: at("jwt"), message: "has no effect unless serving.auth is jwt" };
    return;
  }
  if (jwt === undefined) {
    yield { path: at("jwt"), message: "is required with serving.auth jwt: whose tokens are accepted?" };
    return;
  }
  const path = at("jwt", "issuer");
  const message = publicUrlProblem(jwt.issuer);
  if (message !== undefined) yield { path, message };
  // OpenID Connect Discovery 1.0, section 3: an issuer has neither a query nor a fragment.
  else if (/[?#]/.test(jwt.issuer)) yield { path, message: "must have neither a query nor a fragment" };
}

function* memoryProblems({ mode, memoryMb }: Serving): Iterable<SpecProblem> {
  const path = at("memoryMb");
  if (mode === "serverless" && (memoryMb > 6144 || memoryMb % 1024 !== 0)) {
    yield { path, message: "a serverless endpoint has 1024 to 6144 MB in steps of 1024" };
  }
  if (mode === "ecs" && memoryMb % 1024 !== 0) {
    yield { path, message: "a Fargate task of this size has memory in steps of 1024 MB" };
  }
}

interface Range {
  readonly minCapacity: number;
  readonly maxCapacity: number;
}

function* rangeProblems(mode: Serving["mode"], range: Range, place: readonly (string | number)[]) {
  const path = at("autoscaling", ...place, "minCapacity");
  if (range.minCapacity > range.maxCapacity) {
    yield { path, message: `is more than maxCapacity (${range.maxCapacity})` };
  }
  if (mode === "realtime" && range.minCapacity < 2) {
    yield { path, message: "must be at least 2: a canary takes at most half of the instances" };
  }
}

function* autoscalingProblems({ profile, serving }: PipelineSpec): Iterable<SpecProblem> {
  const { mode, autoscaling } = serving;
  yield* rangeProblems(mode, autoscaling, []);
  const names = new Set<string>();
  for (const [index, schedule] of autoscaling.schedules.entries()) {
    const place = ["schedules", index] as const;
    yield* rangeProblems(mode, schedule, place);
    const problem = scalingScheduleProblem(schedule.expression);
    if (problem !== undefined) yield { path: at("autoscaling", ...place, "expression"), message: problem };
    if (names.has(schedule.name)) {
      yield { path: at("autoscaling", ...place, "name"), message: `"${schedule.name}" is listed twice` };
    }
    names.add(schedule.name);
  }
  if (autoscaling.schedules.length === 0) return;
  const path = at("autoscaling", "schedules");
  if (mode === "serverless") {
    yield { path, message: "have no effect: a serverless endpoint scales itself" };
  } else if (mode === "lambda" && profile === "learning") {
    yield { path, message: "have no effect: only the profile production keeps functions warm" };
  }
}

/** Longest shift of traffic that CodeDeploy waits for. */
const LONGEST_SHIFT_MINUTES = 48 * 60;

function* rolloutProblems({ mode, rollout }: Serving): Iterable<SpecProblem> {
  const { bakeMinutes, canaryPercent, stepPercent } = rollout;
  if (mode === "realtime") {
    if (bakeMinutes > 60) {
      yield {
        path: at("rollout", "bakeMinutes"),
        message: "SageMaker waits at most 60 minutes after a step",
      };
    }
    if (stepPercent < 10) {
      yield { path: at("rollout", "stepPercent"), message: "a step of SageMaker's is at least 10 %" };
    }
  }
  const minutes = Math.ceil(100 / canaryPercent) * bakeMinutes;
  if ((mode === "lambda" || mode === "ecs") && minutes > LONGEST_SHIFT_MINUTES) {
    yield {
      path: at("rollout", "bakeMinutes"),
      message: `steps of ${canaryPercent} % would take ${Math.ceil(minutes / 60)} hours, and CodeDeploy allows 48`,
    };
  }
}

const HOST_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

function* domainProblems({ profile, dataClassification, serving }: PipelineSpec): Iterable<SpecProblem> {
  const { mode, publicDomain, internalDomain } = serving;
  for (const [key, domain] of Object.entries({ publicDomain, internalDomain })) {
    if (domain !== undefined && !HOST_NAME.test(domain.name)) {
      yield { path: at(key, "name"), message: `"${domain.name}" is not a host name in lower case` };
    }
  }
  if (publicDomain !== undefined && profile !== "production") {
    yield { path: at("publicDomain"), message: "has no effect unless the profile is production" };
  }
  if (publicDomain !== undefined && !publicDomain.certificateArn.includes(":us-east-1:")) {
    yield {
      path: at("publicDomain", "certificateArn"),
      message: "CloudFront takes certificates of us-east-1 only",
    };
  }
  const sensitive = dataClassification === "confidential" || dataClassification === "restricted";
  if (profile === "production" && sensitive && publicDomain === undefined) {
    yield {
      path: at("publicDomain"),
      message: `is required because data is ${dataClassification}: only an own name refuses TLS below 1.2`,
    };
  }
  if (mode === "ecs" && internalDomain === undefined) {
    yield {
      path: at("internalDomain"),
      message: "is required with serving.mode ecs: its load balancer serves TLS only",
    };
  }
  if (mode !== "ecs" && internalDomain !== undefined) {
    yield { path: at("internalDomain"), message: "has no effect unless serving.mode is ecs" };
  }
}

/** Every breach of a rule on how predictions are served. */
export function* servingProblems(spec: PipelineSpec): Iterable<SpecProblem> {
  const { profile, serving } = spec;
  if (serving.mode === "ecs" && profile !== "production") {
    yield {
      path: at("mode"),
      message: "ecs needs the profile production: its tasks run in private subnets behind a load balancer",
    };
  }
  yield* authProblems(serving);
  yield* memoryProblems(serving);
  yield* autoscalingProblems(spec);
  yield* rolloutProblems(serving);
  yield* domainProblems(spec);
}
