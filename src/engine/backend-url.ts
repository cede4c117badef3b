/**
 * Beside each file of a backend of files the CLI writes another one, of attributes that nobody reads, and not at once: killed just
 * then, it can't load the state any more ("failed to load checkpoint: EOF").
 */
export function withoutSidecars(backendUrl: string): string {
  if (!backendUrl.startsWith("file:")) return backendUrl;
  return `${backendUrl}${backendUrl.includes("?") ? "&" : "?"}metadata=skip`;
}
