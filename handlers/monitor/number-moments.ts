/** Count, mean, standard deviation and ends of numbers as they come by (Welford: Technometrics 4, 1962). */
export class NumberMoments {
  count = 0;
  mean = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #squares = 0;

  add(value: number): void {
    this.count += 1;
    const distance = value - this.mean;
    this.mean += distance / this.count;
    this.#squares += distance * (value - this.mean);
    this.min = Math.min(this.min, value);
    this.max = Math.max(this.max, value);
  }

  get sum(): number {
    return this.mean * this.count;
  }

  /** Of the population, as Model Monitor has it; 0 without numbers. */
  get standardDeviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.#squares / this.count);
  }
}
