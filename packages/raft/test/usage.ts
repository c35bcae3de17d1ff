/** Prints how a script is called, and ends, when `--help` is asked for. To be called before anything else is done. */
export function printUsageIfAsked(usage: string): void {
  if (!process.argv.includes("--help")) return;
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
