/**
 * Defects that can be planted into the shipped code, one at a time, to show that a checker notices them. Nothing but a
 * test, or a chaos run that was told to, plants one: no setting of a process reaches here. Each name is told where it
 * is asked for (`isPlanted("ackBeforeFsync")`) and listed in the bank that proves it is caught.
 */
const planted = new Set<string>();

/** Whether this defect is planted; false in every process that is not a test of the checkers. Costs one comparison. */
export function isPlanted(defect: string): boolean {
  return planted.size > 0 && planted.has(defect);
}

/** Runs with the defect planted and takes it out again, however the run ends. Not for runs side by side in one process. */
export function withPlanted<T>(defect: string, run: () => T | Promise<T>): Promise<T> {
  planted.add(defect);
  return new Promise<T>((resolve) => resolve(run())).finally(() => planted.delete(defect));
}
