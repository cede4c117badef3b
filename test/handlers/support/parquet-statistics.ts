/** As a value of the type BIGINT stands in a file's statistics. */
export function bigint(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

/** The Parquet file with other statistics in its footer, of the same length; its values stay as they are. */
export function withClaimedStatistics(file: Buffer, stored: Buffer, claimed: Buffer): Buffer {
  const footer = file.length - 8 - file.readUInt32LE(file.length - 8);
  const lying = Buffer.from(file);
  let found = 0;
  for (let at = lying.indexOf(stored, footer); at >= 0; at = lying.indexOf(stored, at + 1)) {
    claimed.copy(lying, at);
    found++;
  }
  if (found === 0) throw new Error("The file has no such statistics: DuckDB writes them otherwise");
  return lying;
}
