const HOURLY = /^cron\(0 \* (\* \* \?|\? \* \*) \*\)$/;
const DAILY = /^cron\(0 (\d{1,2}) (\* \* \?|\? \* \*) \*\)$/;

/**
 * A schedule in the form that SageMaker's monitoring schedules take, which know hours and days only; undefined where it has none
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ScheduleConfig.html).
 */
export function modelMonitorSchedule(expression: string): string | undefined {
  if (HOURLY.test(expression)) return "cron(0 * ? * * *)";
  const hour = DAILY.exec(expression)?.[1];
  return hour === undefined ? undefined : `cron(0 ${hour} ? * * *)`;
}
