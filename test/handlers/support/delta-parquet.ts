/**
 * Eight rows of `email` (user0@example.com and so on) and `visit` (its number; null for 0 and 7) in the DELTA encodings, which DuckDB
 * reads and doesn't write: pyarrow's, without compression and statistics.
 */
export const deltaParquet = (): Buffer =>
  Buffer.from(
    [
      "UEFSMRUGFbQCFbQCXBUQFQAVEBUOFQQVABIcAAAAEAGAAQQIAAADAAAABAAAAAAAAAAAAAAAgAEECCIHAwAAACBJEgAAAAAAAAAAAHVzZXIwQG",
      "V4YW1wbGUuY29tMUBleGFtcGxlLmNvbTJAZXhhbXBsZS5jb20zQGV4YW1wbGUuY29tNEBleGFtcGxlLmNvbTVAZXhhbXBsZS5jb202QGV4YW1w",
      "bGUuY29tN0BleGFtcGxlLmNvbRUGFRgVGFwVEBUEFRAVChUEFQASHAAAAAN+gAIEBgICAAAAABUEGTw1ABgGc2NoZW1hFQQAFQwlAhgFZW1haW",
      "wlAEwcAAAAFQQlAhgFdmlzaXQAFhAZHBksJgAcFQwZJQYOGRgFZW1haWwVABYQFugCFugCJghJHBUAFQ4VAgA8FpACGQYZJgAQAAAAJgAcFQQZ",
      "JQYKGRgFdmlzaXQVABYQFkgWSCbwAkkcFQAVChUCADwpBhkmBAwAAAAWsAMWECYIFrADACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi",
      "4wLjEZLBwAABwAAADNAAAAUEFSMQ==",
    ].join(""),
    "base64",
  );

/** How many values a block of its first column has, by one byte. */
const BLOCK_SIZE_AT = 32;

/** The same with one byte changed: DuckDB 1.5.6 does not refuse it, but ends its process with SIGSEGV or SIGABRT. */
export function crashingParquet(): Buffer {
  const file = deltaParquet();
  file[BLOCK_SIZE_AT] = 0;
  return file;
}

/** What these files are declared as. */
export const DELTA_COLUMNS = [
  { name: "email", type: "string", nullable: false },
  { name: "visit", type: "integer", nullable: true, maxNullFraction: 1 },
] as const;
