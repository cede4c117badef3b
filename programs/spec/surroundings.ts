import Type from "typebox";
import { closed, closedWithDefault } from "./shapes.ts";

export const Network = Type.Object(
  {
    dedicated: Type.Boolean({
      description: "Give the pipeline a network of its own instead of the account's shared one.",
      default: false,
    }),
    cidr: Type.Optional(
      Type.String({
        description:
          "Address range of the dedicated network: private, /16 to /24. 10.80.0.0/20 unless given.",
      }),
    ),
  },
  { ...closedWithDefault, description: "Where jobs run." },
);

export const Notebook = Type.Object(
  {
    instanceType: Type.String({
      description: "SageMaker notebook instance type.",
      pattern: "^ml\\.[a-z0-9-]+\\.[a-z0-9]+$",
      default: "ml.t3.medium",
    }),
    volumeGb: Type.Integer({
      description: "Size of the encrypted volume.",
      minimum: 5,
      maximum: 16_384,
      default: 20,
    }),
    stopSchedule: Type.String({
      description: "When it is stopped: an EventBridge Scheduler cron(…) or rate(…) expression, in UTC.",
      maxLength: 256,
      default: "cron(0 20 * * ? *)",
    }),
  },
  { ...closed, description: "A development notebook. It costs while it runs." },
);
