import type { StateBucket } from "./session-policies.ts";

/** The bucket and folder of an `s3://bucket/folder?region=…` address, and the region where it names one. */
export function parseStateBucket(backendUrl: string): StateBucket & { readonly region: string | undefined } {
  const { hostname, pathname, searchParams } = new URL(backendUrl);
  const folder = pathname.replace(/^\/+|\/+$/g, "");
  return {
    bucket: hostname,
    prefix: folder === "" ? "" : `${folder}/`,
    region: searchParams.get("region") ?? undefined,
  };
}
