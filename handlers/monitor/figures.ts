/** A share as people read it, to a hundredth of a percent. */
export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
