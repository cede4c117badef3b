export type Environment = Readonly<Record<string, string | undefined>>;

/** A function was deployed with settings that it can't work with. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** Variables of these names, each with a value. Throws `ConfigurationError` naming every one that is missing. */
export function variables<const Name extends string>(
  env: Environment,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new ConfigurationError(
      `${missing.join(", ")} must be set: the program of the pipeline does, so update the pipeline`,
    );
  }
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<Name, string>;
}
