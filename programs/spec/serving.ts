import Type from "typebox";
import { closed, closedWithDefault } from "./shapes.ts";

export const SERVING_MODES = ["serverless", "realtime", "lambda", "ecs"] as const;

const Autoscaling = Type.Object(
  {
    minCapacity: Type.Integer({
      description: "Fewest instances or tasks.",
      minimum: 1,
      maximum: 1000,
      default: 2,
    }),
    maxCapacity: Type.Integer({
      description: "Most instances or tasks.",
      minimum: 1,
      maximum: 1000,
      default: 4,
    }),
    targetInvocationsPerMinute: Type.Integer({
      description:
        "Requests a minute that one instance of a real-time endpoint shall get; tasks and functions follow how busy they are.",
      minimum: 1,
      maximum: 1_000_000,
      default: 600,
    }),
    schedules: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: "Names the schedule.", pattern: "^[a-z][a-z0-9-]{0,23}$" }),
          expression: Type.String({
            description: "Application Auto Scaling cron(…), rate(…) or at(…) expression, in UTC.",
            maxLength: 256,
          }),
          minCapacity: Type.Integer({ description: "Fewest from then on.", minimum: 1, maximum: 1000 }),
          maxCapacity: Type.Integer({ description: "Most from then on.", minimum: 1, maximum: 1000 }),
        },
        closed,
      ),
      { description: "Capacity at known times.", maxItems: 10, default: [] },
    ),
  },
  { ...closedWithDefault, description: "How the modes realtime and ecs follow the load." },
);

const domain = (description: string, nameDescription: string) =>
  Type.Optional(
    Type.Object(
      {
        name: Type.String({ description: nameDescription, maxLength: 253 }),
        certificateArn: Type.String({
          description: "ACM certificate that covers the name.",
          pattern: "^arn:aws[a-z-]*:acm:[a-z0-9-]+:\\d{12}:certificate/[A-Za-z0-9-]{1,64}$",
        }),
      },
      { ...closed, description },
    ),
  );

export const Serving = Type.Object(
  {
    mode: Type.Enum([...SERVING_MODES], {
      description:
        "What answers: a serverless or a real-time SageMaker endpoint, a Lambda function, ECS tasks.",
      default: "serverless",
    }),
    instanceType: Type.String({
      description: "SageMaker instance type of a real-time endpoint.",
      pattern: "^ml\\.[a-z0-9-]+\\.[a-z0-9]+$",
      default: "ml.m5.large",
    }),
    memoryMb: Type.Integer({
      description:
        "Memory of a serverless endpoint, a function or a task; serverless: 1024 to 6144 in steps of 1024.",
      minimum: 1024,
      maximum: 10_240,
      default: 2048,
    }),
    maxConcurrency: Type.Integer({
      description: "Requests at the same time of a serverless endpoint.",
      minimum: 1,
      maximum: 200,
      default: 5,
    }),
    autoscaling: Autoscaling,
    throttle: Type.Object(
      {
        ratePerSecond: Type.Number({
          description: "Requests a second.",
          minimum: 0.1,
          maximum: 10_000,
          default: 10,
        }),
        burst: Type.Integer({ description: "Requests at once.", minimum: 1, maximum: 5000, default: 20 }),
        dailyQuota: Type.Integer({
          description: "Requests of one API key a day.",
          minimum: 1,
          maximum: 1_000_000_000,
          default: 100_000,
        }),
      },
      { ...closedWithDefault, description: "Limits of the API." },
    ),
    auth: Type.Enum(["iam", "jwt"], { description: "How callers prove who they are.", default: "iam" }),
    jwt: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({
            description: "HTTPS address of the issuer (OpenID Connect discovery).",
            maxLength: 2048,
          }),
          audience: Type.String({
            description: "Audience that a token must name.",
            minLength: 1,
            maxLength: 256,
          }),
        },
        { ...closed, description: "Whose tokens are accepted; only and always with auth jwt." },
      ),
    ),
    publicDomain: domain(
      "Name under which the profile production serves, with a certificate in us-east-1. Without it CloudFront's own name serves, " +
        "which accepts older TLS than 1.2.",
      "Host name that callers use; its DNS record is the team's.",
    ),
    internalDomain: domain(
      "Name that the load balancer of mode ecs proves; only and always in that mode. It needs no DNS record.",
      "Host name in the certificate; it may be a wildcard's instance.",
    ),
    rollout: Type.Object(
      {
        canaryPercent: Type.Integer({
          description: "Share of the traffic that a new version gets first.",
          minimum: 1,
          maximum: 50,
          default: 10,
        }),
        stepPercent: Type.Integer({
          description: "Share that each further step adds.",
          minimum: 5,
          maximum: 50,
          default: 20,
        }),
        bakeMinutes: Type.Integer({
          description: "How long alarms are watched after each step.",
          minimum: 1,
          maximum: 480,
          default: 10,
        }),
      },
      { ...closedWithDefault, description: "How a new version takes over." },
    ),
  },
  { ...closedWithDefault, description: "How predictions are served." },
);
