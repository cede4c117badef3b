export const STAGE = "live";

/** API Gateway's own prefix for the log groups that it writes errors to: `<prefix>_<API id>/<stage>`. */
export const EXECUTION_LOGS = "API-Gateway-Execution-Logs";
