import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import { VARIANT } from "../../programs/serving/endpoints.ts";
import { ReleaseFailed } from "./failures.ts";
import type { Place } from "./settings.ts";

/** Names of those alarms of the traffic, and of the one that combines them, that ring. */
export async function ringingAlarms(
  cloudWatch: CloudWatchClient,
  { alarmNames, guardName }: Place,
): Promise<readonly string[]> {
  const { MetricAlarms = [], CompositeAlarms = [] } = await cloudWatch.send(
    new DescribeAlarmsCommand({
      AlarmNames: [...alarmNames, guardName],
      // Without this CloudWatch leaves the combined one out.
      AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
    }),
  );
  return [...MetricAlarms, ...CompositeAlarms]
    .filter(({ StateValue }) => StateValue === "ALARM")
    .map(({ AlarmName = "" }) => AlarmName);
}

/** Throws `Condemned` while one of them rings. */
export async function refuseWhileRinging(cloudWatch: CloudWatchClient, place: Place): Promise<void> {
  const ringing = await ringingAlarms(cloudWatch, place);
  if (ringing.length > 0) throw new ReleaseFailed("Condemned", `These alarms ring: ${ringing.join(", ")}`);
}

/**
 * Throws `Condemned` where an endpoint failed more of its requests than the alarms allow. A canary's few requests may never make an
 * alarm ring, which looks at every minute by itself.
 */
export async function refuseFailing(
  cloudWatch: CloudWatchClient,
  endpointName: string,
  { from, to, errorFraction }: { readonly from: Date; readonly to: Date; readonly errorFraction: number },
): Promise<void> {
  const Period = 60;
  const query = (Id: string, MetricName: string) => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: "AWS/SageMaker",
        MetricName,
        Dimensions: [
          { Name: "EndpointName", Value: endpointName },
          { Name: "VariantName", Value: VARIANT },
        ],
      },
      Period,
      Stat: "Sum",
    },
  });
  const { MetricDataResults = [] } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: from,
      EndTime: to,
      MetricDataQueries: [query("asked", "Invocations"), query("failed", "Invocation5XXErrors")],
    }),
  );
  const sum = (id: string) =>
    (MetricDataResults.find(({ Id }) => Id === id)?.Values ?? []).reduce((total, value) => total + value, 0);
  const [asked, failed] = [sum("asked"), sum("failed")];
  if (failed > asked * errorFraction) {
    throw new ReleaseFailed("Condemned", `Endpoint ${endpointName} failed ${failed} of ${asked} requests`);
  }
}
