import { pipelineDefinitionProblems } from "../documents/pipeline-definition.ts";
import { parseJson } from "../json-text.ts";
import { isUnknown, type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  failure,
  isGiven,
  numberOf,
  objectOf,
  objectsOf,
  type Rules,
  repeated,
  textOf,
  textsAt,
} from "./rule.ts";

// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html
const pipelineDefinitionCharacters = 1_048_576;
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html
const serverlessMemory = [1024, 2048, 3072, 4096, 5120, 6144];
const serverlessConcurrency = 200;
const variantsOfAConfiguration = 10;
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html
const lifecycleScriptCharacters = 16_384;

/** SageMaker, Glue and Lake Formation. */
export const machineLearningRules: Rules = {
  *"sagemaker/pipeline"(inputs) {
    const given = ["pipelineDefinition", "pipelineDefinitionS3Location"].filter((name) =>
      isGiven(inputs[name]),
    );
    if (given.length !== 1)
      yield failure(
        "pipelineDefinition",
        "exactly one of pipelineDefinition, pipelineDefinitionS3Location must be set",
      );
    const definition = textOf(inputs.pipelineDefinition);
    if (definition === undefined) return;
    yield* atMost(
      "pipelineDefinition",
      definition.length,
      pipelineDefinitionCharacters,
      "characters",
      "split the pipeline",
    );
    for (const problem of pipelineDefinitionProblems(parseJson(definition)))
      yield failure("pipelineDefinition", `Unable to parse pipeline definition. ${problem}`);
  },
  *"sagemaker/endpointConfiguration"(inputs) {
    const variants = objectsOf(inputs.productionVariants);
    yield* atMost("productionVariants", variants.length, variantsOfAConfiguration, "variants", "use fewer");
    for (const name of repeated(variants.map(({ variantName }) => String(variantName))))
      yield failure("productionVariants", `has two variants "${name}": rename one`);
    const isServerless = variants.some(({ serverlessConfig }) => isGiven(serverlessConfig));
    for (const [index, variant] of variants.entries()) yield* variantFailures(variant, index);
    // https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    if (isServerless && variants.length > 1)
      yield failure("productionVariants", "a serverless endpoint has one variant: use several endpoints");
    for (const name of ["dataCaptureConfig", "shadowProductionVariants", "asyncInferenceConfig"])
      if (isServerless && isGiven(inputs[name]))
        yield failure(name, "is not supported by serverless endpoints: leave it out");
  },
  *"sagemaker/featureGroup"(inputs) {
    const features = new Map(
      objectsOf(inputs.featureDefinitions).map(({ featureName, featureType }) => [
        String(featureName),
        String(featureType),
      ]),
    );
    const types: Readonly<Record<string, readonly string[]>> = {
      recordIdentifierFeatureName: ["String", "Integral", "Fractional"],
      eventTimeFeatureName: ["String", "Fractional"],
    };
    for (const [name, allowed] of Object.entries(types)) {
      const feature = textOf(inputs[name]);
      const type = features.get(feature ?? "");
      if (feature !== undefined && features.size > 0 && type === undefined)
        yield failure(name, `names "${feature}", which is not among the featureDefinitions`);
      if (type !== undefined && !allowed.includes(type))
        yield failure(name, `must be a feature of the type ${allowed.join(" or ")}, "${feature}" is ${type}`);
    }
    if (!isGiven(inputs.onlineStoreConfig) && !isGiven(inputs.offlineStoreConfig))
      yield failure("offlineStoreConfig", "or onlineStoreConfig is required: set one");
    for (const name of ["is_deleted", "write_time", "api_invocation_time"])
      if (features.has(name))
        yield failure("featureDefinitions", `${name} is a reserved feature name: rename it`);
    yield* atMost("featureDefinitions", features.size, 2500, "features", "use several groups");
  },
  *"sagemaker/notebookInstance"(inputs) {
    if (inputs.directInternetAccess === "Disabled" && !isGiven(inputs.subnetId))
      yield failure("subnetId", "is required without direct internet access: set it");
    if (isGiven(inputs.subnetId) && !isGiven(inputs.securityGroups))
      yield failure("securityGroups", "is required beside subnetId: set it");
    const size = numberOf(inputs.volumeSize);
    if (size !== undefined && (size < 5 || size > 16_384))
      yield failure("volumeSize", `must be between 5 and 16384, not ${size}`);
  },
  *"sagemaker/notebookInstanceLifecycleConfiguration"(inputs) {
    for (const name of ["onCreate", "onStart"]) {
      const script = textOf(inputs[name]);
      if (script === undefined) continue;
      yield* atMost(
        name,
        script.length,
        lifecycleScriptCharacters,
        "characters",
        "fetch the script from a bucket",
      );
      if (!/^[A-Za-z0-9+/=\s]+$/.test(script)) yield failure(name, "must be base64");
    }
  },
  *"sagemaker/monitoringSchedule"(inputs) {
    const config = objectOf(inputs.monitoringScheduleConfig);
    const given = ["monitoringJobDefinition", "monitoringJobDefinitionName"].filter((name) =>
      isGiven(config[name]),
    );
    if (!isUnknown(inputs.monitoringScheduleConfig) && given.length !== 1)
      yield failure(
        "monitoringScheduleConfig",
        "must have either monitoringJobDefinitionName or monitoringJobDefinition",
      );
    const expression = textOf(objectOf(config.scheduleConfig).scheduleExpression);
    if (
      expression !== undefined &&
      expression !== "NOW" &&
      !/^cron\(0 [\d*/]+ \? \* \* \*\)$/.test(expression)
    )
      yield failure(
        ["monitoringScheduleConfig", "scheduleConfig", "scheduleExpression"],
        `must be hourly or daily, cron(0 * ? * * *) or cron(0 H ? * * *), not "${expression}"`,
      );
  },
  *"sagemaker/model"(inputs) {
    if (isGiven(inputs.primaryContainer) === isGiven(inputs.containers))
      yield failure("primaryContainer", "exactly one of primaryContainer, containers must be set");
    for (const name of ["primaryContainer", "containers"])
      for (const container of objectsOf(inputs[name]))
        if (!isGiven(container.image) && !isGiven(container.modelPackageName))
          yield failure(name, "must have an image or a modelPackageName");
  },
  *"glue/catalogTable"(inputs) {
    yield* lowerCase("name", inputs.name);
    const columns = [
      ...textsAt(inputs, "storageDescriptor", "columns", "name"),
      ...textsAt(inputs, "partitionKeys", "name"),
    ];
    for (const name of repeated(columns.map((column) => column.toLowerCase())))
      yield failure("storageDescriptor", `has two columns "${name}": rename one`);
  },
  *"glue/catalogDatabase"(inputs) {
    yield* lowerCase("name", inputs.name);
  },
  *"glue/crawler"(inputs) {
    const targets = Object.keys(inputs).filter((name) => name.endsWith("Targets") && isGiven(inputs[name]));
    if (targets.length === 0) yield failure("s3Targets", "or another kind of target is required: set one");
    const schedule = textOf(inputs.schedule);
    if (schedule !== undefined && !/^cron\((\S+ ){5}\S+\)$/.test(schedule))
      yield failure("schedule", `must be cron(…) with 6 fields, not "${schedule}"`);
    for (const name of ["configuration"])
      if (textOf(inputs[name]) !== undefined && parseJson(inputs[name]) === undefined)
        yield failure(name, "must be JSON");
  },
  *"glue/job"(inputs) {
    const { maxCapacity, workerType, numberOfWorkers } = inputs;
    const command = textOf(objectOf(inputs.command).name) ?? "glueetl";
    if (isGiven(maxCapacity) && (isGiven(workerType) || isGiven(numberOfWorkers)))
      yield failure("maxCapacity", "conflicts with workerType and numberOfWorkers: keep only one of them");
    if (isGiven(workerType) !== isGiven(numberOfWorkers))
      yield failure("numberOfWorkers", "and workerType belong together: set both");
    if (
      command === "pythonshell" &&
      isGiven(maxCapacity) &&
      ![0.0625, 1].includes(numberOf(maxCapacity) ?? 1)
    )
      yield failure("maxCapacity", `must be 0.0625 or 1 for pythonshell, not ${String(maxCapacity)}`);
    if (!["glueetl", "gluestreaming", "glueray", "pythonshell"].includes(command))
      yield failure(
        ["command", "name"],
        `must be one of glueetl, gluestreaming, glueray, pythonshell, not "${command}"`,
      );
    const retries = numberOf(inputs.maxRetries) ?? 0;
    if (retries < 0 || retries > 10) yield failure("maxRetries", `must be between 0 and 10, not ${retries}`);
  },
  *"lakeformation/permissions"(inputs) {
    const kinds = [
      "catalogResource",
      "dataCellsFilter",
      "dataLocation",
      "database",
      "lfTag",
      "lfTagPolicy",
      "table",
      "tableWithColumns",
    ];
    const given = kinds.filter((kind) => isGiven(inputs[kind]) && inputs[kind] !== false);
    if (given.length !== 1)
      yield failure(
        "database",
        `exactly one of ${kinds.join(", ")} must be set, ${given.length || "none"} is`,
      );
    const allowed = permissionsOf[given[0] ?? ""];
    for (const permission of textsAt(inputs, "permissions"))
      if (allowed && !allowed.includes(permission))
        yield failure(
          "permissions",
          `Permissions modification is invalid: ${given[0]} takes ${allowed.join(", ")}, not ${permission}`,
        );
    for (const permission of textsAt(inputs, "permissionsWithGrantOptions"))
      if (!textsAt(inputs, "permissions").includes(permission))
        yield failure("permissionsWithGrantOptions", `${permission} must be among the permissions too`);
    const columns = objectOf(inputs.tableWithColumns);
    if (
      given[0] === "tableWithColumns" &&
      !["columnNames", "excludedColumnNames", "wildcard"].some((name) => isGiven(columns[name]))
    )
      yield failure("tableWithColumns", "must have columnNames or wildcard");
    const table = objectOf(inputs.table);
    if (given[0] === "table" && isGiven(table.name) === (table.wildcard === true))
      yield failure("table", "must have either a name or wildcard: true");
  },
};

// https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
const permissionsOf: Readonly<Record<string, readonly string[]>> = {
  catalogResource: ["ALL", "CREATE_DATABASE", "CREATE_LF_TAG", "DESCRIBE", "ALTER", "DROP", "CREATE_CATALOG"],
  dataLocation: ["DATA_LOCATION_ACCESS"],
  database: ["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"],
  table: ["ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"],
  tableWithColumns: ["SELECT", "DESCRIBE"],
  dataCellsFilter: ["SELECT", "DESCRIBE", "DROP"],
};

function* variantFailures(variant: PropertyMap, index: number) {
  const path = ["productionVariants", index];
  const serverless = objectsOf(variant.serverlessConfig)[0];
  if (serverless) {
    if (isGiven(variant.instanceType) || isGiven(variant.initialInstanceCount))
      yield failure(path, "has either a serverlessConfig or instances");
    const [memory, most] = [numberOf(serverless.memorySizeInMb), numberOf(serverless.maxConcurrency)];
    if (memory !== undefined && !serverlessMemory.includes(memory))
      yield failure(
        [...path, "serverlessConfig", "memorySizeInMb"],
        `must be one of ${serverlessMemory.join(", ")}, not ${memory}`,
      );
    if (most !== undefined && (most < 1 || most > serverlessConcurrency))
      yield failure(
        [...path, "serverlessConfig", "maxConcurrency"],
        `must be between 1 and ${serverlessConcurrency}, not ${most}`,
      );
    const provisioned = numberOf(serverless.provisionedConcurrency);
    if (provisioned !== undefined && most !== undefined && provisioned > most)
      yield failure(
        [...path, "serverlessConfig", "provisionedConcurrency"],
        `must not exceed maxConcurrency, ${most}, not ${provisioned}`,
      );
  } else if (!isGiven(variant.serverlessConfig) && !isGiven(variant.instanceType)) {
    yield failure(path, "must have a serverlessConfig or an instanceType");
  }
}

function* lowerCase(name: string, value: PropertyMap[string] | undefined) {
  const text = textOf(value);
  // https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
  if (text !== undefined && !/^[a-z0-9_]{1,255}$/.test(text))
    yield failure(name, `must have lower-case letters, digits and _, at most 255, not "${text}"`);
  if (valuesAt(value, []).length === 0) yield failure(name, "is required: set it");
}
