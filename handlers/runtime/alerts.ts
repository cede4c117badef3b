import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { awsClient } from "./aws.ts";
import { type Environment, variables } from "./environment.ts";

export type AlertSeverity = "warning" | "critical";

/** What people and machines are told. Holds no content of data: names, counts and places only. */
export interface Alert {
  /** A line that says what is wrong; SNS takes 100 characters of it as the subject of e-mails. */
  readonly title: string;
  /** Machine-readable kind, such as `data_quarantined`. */
  readonly code: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** What a person can do about it. */
  readonly remedy?: string;
}

export interface Alerts {
  publish(severity: AlertSeverity, alert: Alert): Promise<void>;
}

const SUBJECT_LENGTH = 100;

/** Publishes to the pipeline's two topics, as JSON. */
export function createAlerts(env: Environment): Alerts {
  const topics = variables(env, [
    "AIDLC_WARNING_TOPIC",
    "AIDLC_CRITICAL_TOPIC",
    "AIDLC_TEAM",
    "AIDLC_PIPELINE",
  ]);
  const sns = awsClient(SNSClient, env);
  return {
    publish: async (severity, { title, code, detail, remedy }) => {
      const { AIDLC_TEAM: team, AIDLC_PIPELINE: pipeline } = topics;
      await sns.send(
        new PublishCommand({
          TopicArn: severity === "critical" ? topics.AIDLC_CRITICAL_TOPIC : topics.AIDLC_WARNING_TOPIC,
          // Printable ASCII only: SNS refuses other subjects.
          Subject: `${team}/${pipeline}: ${title}`.replace(/[^\x20-\x7e]/g, "?").slice(0, SUBJECT_LENGTH),
          Message: JSON.stringify({
            team,
            pipeline,
            severity,
            code,
            title,
            detail,
            ...(remedy && { remedy }),
          }),
          MessageAttributes: {
            severity: { DataType: "String", StringValue: severity },
            code: { DataType: "String", StringValue: code },
          },
        }),
      );
    },
  };
}
