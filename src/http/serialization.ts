import { SerializerSelector } from "@fastify/fast-json-stringify-compiler";

const buildSerializer = SerializerSelector();

/**
 * Answers are written by their schemas, which also keeps anything else out of them. Problems have a writer of their own
 * (`sendProblem`) and are in the schemas to be documented: compiling them as well, for each status of each route, would take most
 * of the application's start.
 */
export const serializerFactory: typeof buildSerializer = (sharedSchemas, options) => {
  const compile = buildSerializer(sharedSchemas, options);
  return (route) => (isProblem(route.schema) ? JSON.stringify : compile(route));
};

function isProblem(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "$ref" in schema && schema.$ref === "Problem#";
}
