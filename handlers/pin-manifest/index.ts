import { createHandler } from "./handler.ts";

// biome-ignore lint/style/noProcessEnv: the entry reads the environment
export const handler = createHandler(process.env);
