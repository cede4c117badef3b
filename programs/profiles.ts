/** How much is hardened and what it may cost: `learning` about $15 a month, `production` for data that matters. */
export const PROFILES = ["learning", "production"] as const;
export type Profile = (typeof PROFILES)[number];
