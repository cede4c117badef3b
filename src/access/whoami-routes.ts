import { type App, problems } from "../http/app-types.ts";
import { WhoamiView, whoamiView } from "./schema.ts";

export function whoamiRoutes(app: App): void {
  app.get(
    "/whoami",
    {
      schema: {
        summary: "Read who you are to the service, and what was granted to you",
        tags: ["access"],
        response: { 200: WhoamiView, ...problems() },
      },
    },
    async ({ principal }) => whoamiView(principal),
  );
}
